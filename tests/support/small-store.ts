/** Small stores to be damaged, and the ways to damage them. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksum } from "../../src/store/files/commit.ts";
import type { Store } from "../../src/store/store.ts";
import { openFiles } from "./files-store.ts";
import { requeue } from "./requeue.ts";
/** What a store holds, as far as a person could tell. */
export type Holding = { jobs: { id: string; state: string }[]; dead: string[] };

/** A journal as it grew: its bytes, and what the store held after each commit that ends at `size`. */
export interface History {
  readonly directory: string;
  readonly journal: string;
  readonly stages: readonly { readonly size: number; readonly holding: Holding }[];
}

/** A store with six commits after its snapshot: enqueued, claimed, failed, dead-lettered, completed. */
export async function grow(directory: string): Promise<History> {
  await resting(directory);
  return work(directory);
}

/** The same, but its snapshots stand in the middle of the journal, and not at one place. */
export async function growRenewed(directory: string): Promise<History> {
  await resting(directory);
  const store = await openFiles(directory);
  await requeue(store, ["dead"]);
  await store.enqueue([{ id: "p3", command: "echo 3" }]);
  await store.close();
  return work(directory);
}

async function work(directory: string): Promise<History> {
  const store = await openFiles(directory);
  const journal = journalIn(directory);
  const stages: History["stages"][number][] = [];
  const claimant = { workerId: "worker-1", limit: 1 };
  const exited = (code: number) => ({ kind: "exited", code }) as const;
  const note = async () => {
    stages.push({ size: readFileSync(join(directory, journal)).length, holding: await holdingOf(store) });
  };
  await note();
  await store.announce({ kind: "worker" });
  await store.enqueue([{ id: "x", command: "false", max_retries: 0, priority: 9 }]);
  await note();
  const [x] = (await store.settle([], claimant)).claimed;
  await note();
  if (x) await store.settle([{ id: x.id, lease: x.lease, outcome: exited(1) }]);
  await note();
  const [p] = (await store.settle([], claimant)).claimed;
  await note();
  if (p) await store.settle([{ id: p.id, lease: p.lease, outcome: exited(0) }]);
  await note();
  await requeue(store, ["x"]);
  await note();
  await store.enqueue([{ id: "ünï", command: "echo ✓" }]);
  await note();
  const copy = `${directory}-copy`;
  cpSync(directory, copy, { recursive: true });
  await store.close();
  return { directory: copy, journal, stages };
}

/** A store at rest with two jobs and a dead letter. */
export async function resting(directory: string): Promise<void> {
  const store = await openFiles(directory);
  await store.enqueue([{ id: "dead", command: "false", max_retries: 0 }]);
  const [dead] = (await store.settle([], { workerId: "worker-1", limit: 1 })).claimed;
  if (dead) await store.settle([{ id: dead.id, lease: dead.lease, outcome: { kind: "exited", code: 1 } }]);
  await store.enqueue([
    { id: "p1", command: "echo 1" },
    { id: "p2", command: "echo 2" },
  ]);
  await store.close();
}

export async function holdingOf(store: Store): Promise<Holding> {
  return {
    jobs: (await store.list()).map(({ id, state }) => ({ id, state })),
    dead: (await store.deadLetters()).map(({ id }) => id),
  };
}

export function contentOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => /\.jsonl?$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "hex")]));
}

export function journalIn(directory: string): string {
  return readdirSync(directory).find((name) => name.startsWith("journal.")) ?? "no journal";
}

export function linesOf(directory: string, journal: string): string[] {
  return readFileSync(join(directory, journal), "utf8").trimEnd().split("\n");
}

/** The line with the checksum that it would have had. */
export function resummed(line: string): string {
  const summed = line.slice(0, line.lastIndexOf(',"sum":'));
  return `${summed},"sum":"${checksum(summed)}"}`;
}

export function rewrite(name: string, change: (text: string) => string): (directory: string) => void {
  return (directory) => writeFileSync(join(directory, name), change(readFileSync(join(directory, name), "utf8")));
}

export function rewriteBytes(name: string, change: (bytes: Buffer) => Uint8Array): (directory: string) => void {
  return (directory) => writeFileSync(join(directory, name), change(readFileSync(join(directory, name))));
}

export function remove(name: string): (directory: string) => void {
  return (directory) => rmSync(join(directory, name));
}

/** A snapshot with the checksum that it would have had. */
export function rechecked(text: string): string {
  const checked = text.slice(0, text.lastIndexOf(',"check":'));
  return `${checked},"check":"${checksum(checked)}"}\n`;
}
