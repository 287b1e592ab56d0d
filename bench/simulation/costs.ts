/**
 * What a database spends on each thing that is asked of it, in ms, from measured rates. What is asked has two parts: the
 * time in which the database works on it and on nothing else, and the time on the way and at the disk, in which it works
 * on other things. The first is what is left when so many ask that it is never idle; the second is what one who asks
 * alone waits beyond that.
 */
export interface Costs {
  /** Of a turn: whatever it ends and claims, and for each job that it both ends and claims. */
  readonly turnMs: number;
  readonly jobMs: number;
  /** Of a call that enqueues, and for each job in it. */
  readonly enqueueMs: number;
  readonly addedMs: number;
  /** Of a look for lost jobs, and for each worker that there is. */
  readonly lookMs: number;
  readonly lookedAtMs: number;
  /** On the way and at the disk. */
  readonly waitMs: number;
}

/** Jobs a second, or ms of one call. */
export interface Rates {
  /** Claimed and settled: by one process one at a time; by several one at a time, and many at a time. */
  readonly alone: number;
  readonly singly: number;
  readonly many: { readonly limit: number; readonly rate: number };
  /** Enqueued by several processes one a call, and many a call. */
  readonly added: number;
  readonly addedMany: { readonly batch: number; readonly rate: number };
  readonly look: { readonly workers: number; readonly aloneMs: number; readonly amongMs: number };
}

export function costsFrom({ alone, singly, many, added, addedMany, look }: Rates): Costs {
  const [turnMs, jobMs] = line([1, 1000 / singly], [many.limit, (1000 * many.limit) / many.rate]);
  const [enqueueMs, addedMs] = line([1, 1000 / added], [addedMany.batch, (1000 * addedMany.batch) / addedMany.rate]);
  const [lookMs, lookedAtMs] = line([0, look.aloneMs], [look.workers, look.amongMs]);
  const waitMs = Math.max(0, 1000 / alone - 1000 / singly);
  return { turnMs, jobMs, enqueueMs, addedMs, lookMs, lookedAtMs, waitMs };
}

/** Where it meets 0, and how steep it is; neither is ever below 0. */
function line([x1, y1]: [number, number], [x2, y2]: [number, number]): [number, number] {
  const steep = Math.max(0, (y2 - y1) / (x2 - x1));
  return [Math.max(0, y1 - steep * x1), steep];
}
