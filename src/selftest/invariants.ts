/**
 * The promises, checked: from what the jobs wrote down themselves and from where every job ended. Pure. What it cannot see
 * is a job that ran without writing a line.
 */
import type { Entry } from "../job/job.ts";
import { isDeadLetter } from "../job/job.ts";
import type { LedgerLine } from "./execution-ledger.ts";

export type Rule = "lost" | "overlap" | "uncounted" | "stranger" | "lease" | "leftover" | "damage";

export interface Violation {
  readonly rule: Rule;
  readonly what: string;
}

export interface Observed {
  /** Ids that somebody was told are enqueued. */
  readonly acknowledged: ReadonlySet<string>;
  /** Ids that somebody tried to enqueue, told or not. */
  readonly attempted: ReadonlySet<string>;
  readonly lines: readonly LedgerLine[];
  /** Queue and DLQ, after everything has ended. */
  readonly entries: readonly Entry[];
}

/** Everything that should not be. */
export function violationsOf({ acknowledged, attempted, lines, entries }: Observed): Violation[] {
  const byId = Map.groupBy(entries, ({ id }) => id);
  const byJob = Map.groupBy(lines, ({ job }) => job);
  return [
    ...[...acknowledged].flatMap((id) => violationsOfEnd(id, byId.get(id) ?? [])),
    ...[...byId.keys(), ...byJob.keys()].filter((id) => !attempted.has(id)).map((id) => stranger(id)),
    ...[...byJob].flatMap(([id, written]) => [
      ...overlapsOf(id, written),
      ...leaseViolationsOf(id, written),
      ...uncountedOf(id, written, byId.get(id)?.[0]),
    ]),
    ...sharedLeasesOf(lines),
  ];
}

/** Every acknowledged job is there once, and ended: completed, or in the DLQ. */
function violationsOfEnd(id: string, found: readonly Entry[]): Violation[] {
  const [entry] = found;
  if (entry === undefined) return [{ rule: "lost", what: `Job ${id} was acknowledged and is nowhere.` }];
  if (found.length > 1) return [{ rule: "lost", what: `Job ${id} is there ${found.length} times.` }];
  if (isDeadLetter(entry) || entry.state === "completed") return [];
  return [{ rule: "lost", what: `Job ${id} never ended: it is ${entry.state}.` }];
}

function stranger(id: string): Violation {
  return { rule: "stranger", what: `Nobody ever enqueued job ${id}.` };
}

/** Nothing of an attempt is written after the start of a later one. */
function overlapsOf(id: string, written: readonly LedgerLine[]): Violation[] {
  const found = new Map<number, Violation>();
  let latest = 0;
  for (const { what, lease, pid } of written) {
    if (lease < latest && !found.has(lease)) {
      const late = `Job ${id}: the attempt of lease ${lease} (process ${pid}) still wrote "${what}" when that of lease ${latest} had begun.`;
      found.set(lease, { rule: "overlap", what: late });
    }
    latest = Math.max(latest, lease);
  }
  return [...found.values()];
}

/** An attempt starts once, and no later one has a smaller number. */
function leaseViolationsOf(id: string, written: readonly LedgerLine[]): Violation[] {
  const starts = written.filter(({ what }) => what === "start");
  return starts.flatMap(({ lease, attempt }, index) => {
    const before = starts[index - 1];
    if (before === undefined) return [];
    if (lease <= before.lease)
      return [{ rule: "lease", what: `Job ${id}: lease ${lease} was used after ${before.lease}.` }];
    // The same number again is right after a release: that attempt did not count.
    if (attempt >= before.attempt) return [];
    return [{ rule: "lease", what: `Job ${id}: attempt ${attempt} came after attempt ${before.attempt}.` }];
  });
}

/** The queue knows of every attempt that started. */
function uncountedOf(id: string, written: readonly LedgerLine[], entry: Entry | undefined): Violation[] {
  const highest = written.reduce((most, { attempt }) => Math.max(most, attempt), 0);
  if (entry === undefined || entry.attempts >= highest) return [];
  return [{ rule: "uncounted", what: `Job ${id} ran attempt ${highest}, but only ${entry.attempts} are counted.` }];
}

function sharedLeasesOf(lines: readonly LedgerLine[]): Violation[] {
  const holders = Map.groupBy(lines, ({ lease }) => lease);
  return [...holders].flatMap(([lease, written]) => {
    const jobs = new Set(written.map(({ job }) => job));
    return jobs.size === 1
      ? []
      : [{ rule: "lease" as const, what: `Jobs ${[...jobs].join(" and ")} had lease ${lease}.` }];
  });
}
