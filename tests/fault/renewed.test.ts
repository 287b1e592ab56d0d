/**
 * Snapshots that were written anew within their generation: they stand in the middle of its journal, each at a place of
 * its own. What comes before those places is history, and what comes after them counts as ever.
 */
import { expect, test } from "bun:test";
import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../src/job/errors.ts";
import { DamageStage, flip } from "../support/damage-stage.ts";
import { openFiles } from "../support/files-store.ts";
import { requeue } from "../support/requeue.ts";
import { growRenewed, type Holding, holdingOf, journalIn, linesOf, resting, rewrite } from "../support/small-store.ts";
import { sorted } from "../support/sorted.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("at rest, queue.json and dlq.json alone tell the whole truth, until the queue is big", async () => {
  using root = temporaryDirectory();
  await resting(root.path);
  const store = await openFiles(root.path);
  const big = Array.from({ length: 20 }, (_, i) => ({ id: `big${i}`, command: `: ${"x".repeat(45_000)}` }));
  const generations = new Set<number>();
  for (const change of [() => requeue(store, ["dead"]), ...big.map((spec) => () => store.enqueue([spec]))]) {
    await change();
    const { jobs, generation } = JSON.parse(readFileSync(join(root.path, "queue.json"), "utf8"));
    const { dlq } = JSON.parse(readFileSync(join(root.path, "dlq.json"), "utf8"));
    expect({ jobs, dlq }).toEqual({ jobs: await store.list(), dlq: await store.deadLetters() });
    generations.add(generation);
  }
  // The journal was outgrown in between, and begun anew.
  expect(generations.size).toBeGreaterThan(1);
  await store.close();
});

test("a journal cut behind them reads as of its last whole line, and cut before them is refused", async () => {
  using root = temporaryDirectory();
  const { directory, journal, stages } = await growRenewed(join(root.path, "grown"));
  const { at: place } = JSON.parse(readFileSync(join(directory, "queue.json"), "utf8")) as { at: number };
  expect(place).toBeGreaterThan(0);
  for (let size = readFileSync(join(directory, journal)).length; size >= 0; size--) {
    truncateSync(join(directory, journal), size);
    const holding = stages.findLast((stage) => stage.size <= size)?.holding ?? "refused";
    expect({ size, held: await heldIn(directory) }).toEqual({ size, held: holding });
  }
});

test("a byte of the journal flipped behind them shows, and before them changes nothing", async () => {
  await using stage = await DamageStage.open(growRenewed);
  const bytes = stage.bytes(stage.journal);
  const { at: place } = JSON.parse(stage.bytes("queue.json").toString()) as { at: number };
  for (let at = 0; at < bytes.length; at++) {
    const verdict = await stage.judge(flip(stage.journal, at));
    // Without its newline the last line may still be being written.
    const isUnseen = at < place || at === bytes.length - 1;
    expect({ at, verdict }).toEqual({ at, verdict: isUnseen ? "unfinished" : expect.stringMatching(/refused|torn/) });
  }
});

test("a broken line behind them is told with its number among all lines", async () => {
  using root = temporaryDirectory();
  const { directory, journal } = await growRenewed(join(root.path, "grown"));
  const lines = linesOf(directory, journal);
  const broken = lines.at(-2) ?? "";
  writeFileSync(join(directory, journal), `${lines.with(-2, broken.replace("set", "sat")).join("\n")}\n`);
  const store = await openFiles(directory);
  await expect(store.list()).rejects.toThrow(`${journal}, line ${lines.length - 1}: its checksum does not match`);
});

test.each(["queue.json", "dlq.json"])("every byte of %s is guarded as ever", async (file) => {
  await using stage = await DamageStage.open(growRenewed);
  for (let at = 0; at < stage.bytes(file).length; at++) {
    expect({ at, verdict: await stage.judge(flip(file, at)) }).toEqual({ at, verdict: "refused" });
  }
});

test("earlier ones of the same generation come to the same, in every combination", async () => {
  using root = temporaryDirectory();
  await resting(root.path);
  const store = await openFiles(root.path);
  const files = ["queue.json", "dlq.json"] as const;
  const versions = [readAll(root.path, files)];
  for (const change of [
    () => store.enqueue([{ id: "p3", command: "echo 3" }]),
    () => requeue(store, ["dead"]),
    () => store.enqueue([{ id: "p4", command: "echo 4" }]),
  ]) {
    await change();
    versions.push(readAll(root.path, files));
  }
  const latest = await holdingOf(store);
  await store.close();
  expect(new Set(versions.map(({ "dlq.json": text }) => text)).size).toBe(2);
  for (const queue of versions) {
    for (const dlq of versions) {
      const copy = join(root.path, "copy");
      cpSync(join(root.path, journalIn(root.path)), join(copy, journalIn(root.path)));
      writeFileSync(join(copy, "queue.json"), queue["queue.json"] ?? "");
      writeFileSync(join(copy, "dlq.json"), dlq["dlq.json"] ?? "");
      expect(await heldIn(copy)).toEqual(latest);
    }
  }
});

test.each([
  ["a job changed", (text: string) => text.replace('"echo 3"', '"echo 33"'), "echo 33"],
  ["a job changed, and all formatted anew", (text: string) => pretty(text.replace('"echo 3"', '"echo 33"')), "echo 33"],
  ["a job taken out", (text: string) => text.replace(/,\n\{"id":"p3".*\}\n/, "\n"), undefined],
] as const)("an edit by hand is taken, also of what the journal tells: %s", async (_name, edit, command) => {
  await using stage = await DamageStage.open(growRenewed);
  const { mending, entries } = await stage.mend(rewrite("queue.json", edit));
  expect(mending?.findings).toHaveLength(1);
  expect(entries.find(({ id }) => id === "p3")?.command).toBe(command);
});

test.each(["queue.json", "dlq.json"])("a lost %s is made anew, with all that the journal tells", async (file) => {
  await using stage = await DamageStage.open(growRenewed);
  const { mending, entries } = await stage.mend((directory) => truncateSync(join(directory, file), 0));
  expect(mending?.findings[0]).toMatchObject({ problem: "it is empty." });
  // What was there before the journal began was in the queue alone.
  const lost = file === "queue.json" ? ["p1", "p2"] : [];
  expect(sorted(entries.map(({ id }) => id))).toEqual(sorted(stage.ids.filter((id) => !lost.includes(id))));
});

function pretty(text: string): string {
  return JSON.stringify(JSON.parse(text), null, 2);
}

function readAll(directory: string, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(directory, file), "utf8")]));
}

async function heldIn(directory: string): Promise<Holding | "refused"> {
  const store = await openFiles(directory, { warn: () => {} });
  return holdingOf(store).catch((error: unknown) => {
    if (error instanceof QueueError && error.code === "E_STORE_CORRUPT") return "refused" as const;
    throw error;
  });
}
