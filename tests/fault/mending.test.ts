/**
 * Damage of every kind, and what `doctor` makes of it: made, found, mended, read, appended to, read again. No entry may be
 * lost without being told, none may appear that never was, and whatever was replaced must lie in quarantine as it was.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDoctor } from "../../src/store/open.ts";
import { byId, type Damage, DamageStage, doctorOf, flip } from "../support/damage-stage.ts";
import { filesOptions, openFiles } from "../support/files-store.ts";
import { contentOf, journalIn, linesOf, remove, resting, rewrite, rewriteBytes } from "../support/small-store.ts";
import { sorted } from "../support/sorted.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** Of these two, any change at all is refused. */
const SNAPSHOTS = ["queue.json", "dlq.json"] as const;

describe("every byte of the state", () => {
  test.each(SNAPSHOTS)("of %s cut off is refused, and doctor accounts for every entry", async (file) => {
    await using stage = await DamageStage.open();
    for (let size = 0; size < stage.bytes(file).length; size++) {
      const damage = rewriteBytes(file, (bytes) => bytes.subarray(0, size));
      expect({ size, verdict: await stage.judge(damage) }).toEqual({ size, verdict: "refused" });
    }
  });

  test.each(SNAPSHOTS)("of %s flipped is refused, and doctor accounts for every entry", async (file) => {
    await using stage = await DamageStage.open();
    for (let at = 0; at < stage.bytes(file).length; at++) {
      const verdict = await stage.judge(flip(file, at));
      expect({ at, verdict }).toEqual({ at, verdict: "refused" });
    }
  });

  test("of the journal flipped is refused, or at its end told as a torn line", async () => {
    await using stage = await DamageStage.open();
    const last = stage.bytes(stage.journal).length - 1;
    for (let at = 0; at <= last; at++) {
      const verdict = await stage.judge(flip(stage.journal, at));
      // Without its newline a line may still be being written.
      expect({ at, verdict }).toEqual({
        at,
        verdict: at === last ? "unfinished" : expect.stringMatching(/refused|torn/),
      });
    }
  });
});

describe("doctor", () => {
  const DAMAGES: readonly [name: string, damage: Damage, lost: readonly string[]][] = [
    [
      "a job's line broken",
      rewrite("queue.json", (text) => text.replace('"command":"echo 1"', '"command:"echo 1"')),
      ["p1"],
    ],
    ["a job without a command", rewrite("queue.json", (text) => text.replace('"command":"echo 1",', "")), ["p1"]],
    ["a command edited by hand", rewrite("queue.json", (text) => text.replace("echo 1", "echo 9")), []],
    ["the queue formatted anew", rewrite("queue.json", (text) => JSON.stringify(JSON.parse(text), null, 2)), []],
    ["the head of the queue lost", rewrite("queue.json", (text) => text.replace('"generation"', '"gen')), []],
    [
      "the queue cut in its last line",
      rewrite("queue.json", (text) => text.slice(0, text.indexOf('"p2"') + 9)),
      ["p2"],
    ],
    [
      "the generation of the queue raised",
      rewrite("queue.json", (text) => text.replace(/"generation":\d+/, '"generation":9')),
      [],
    ],
    ["the queue empty", rewrite("queue.json", () => ""), ["p1", "p2"]],
    ["the queue missing", remove("queue.json"), ["p1", "p2"]],
    ["the DLQ missing", remove("dlq.json"), ["dead"]],
    [
      "a line in the middle of the journal broken",
      journalLines((lines) => lines.with(1, (lines[1] ?? "").replace("claimed", "claimee"))),
      [],
    ],
    ["a line of the journal removed", journalLines((lines) => lines.toSpliced(1, 1)), []],
    ["the first line of the journal removed", journalLines((lines) => lines.slice(1)), []],
    [
      "two lines of the journal swapped",
      journalLines((lines) => lines.with(1, lines[2] ?? "").with(2, lines[1] ?? "")),
      [],
    ],
    ["the journal missing", (directory) => rmSync(join(directory, journalIn(directory))), ["x", "ünï"]],
    [
      "the journal of another generation",
      journalLines((lines) => lines.map((line) => line.replace('"prev"', '"prew"'))),
      ["x", "ünï"],
    ],
  ];

  test.each(DAMAGES)("mends %s", async (_name, damage, lost) => {
    await using stage = await DamageStage.open();
    const { mending, entries } = await stage.mend(damage);
    expect(mending?.findings.length).toBeGreaterThan(0);
    const ids = entries.map(({ id }) => id);
    expect(sorted(ids)).toEqual(sorted(stage.ids.filter((id) => !lost.includes(id))));
  });

  test("puts lines that were swapped back into their order", async () => {
    await using stage = await DamageStage.open();
    const swap = journalLines((lines) => lines.with(3, lines[4] ?? "").with(4, lines[3] ?? ""));
    expect(byId((await stage.mend(swap)).entries)).toEqual(stage.entries);
  });

  test("keeps what it replaces, byte for byte", async () => {
    await using stage = await DamageStage.open();
    const damage = rewrite("queue.json", (text) => text.replace("echo 1", "echo 9"));
    const { mending, before } = await stage.mend(damage);
    expect(contentOf(mending?.setAside ?? "")).toEqual(before);
  });

  test("never gives out a lease again", async () => {
    await using stage = await DamageStage.open();
    const damage = journalLines((lines) => [
      ...lines.slice(0, 2),
      (lines[2] ?? "").replace("set", "sat"),
      ...lines.slice(3),
    ]);
    const { directory } = await stage.mend(damage);
    const store = await openFiles(directory);
    const { claimed } = await store.settle([], { workerId: "worker-2", limit: 1 });
    const highest = stage.leases.reduce((a, b) => Math.max(a, b));
    expect(claimed.map(({ lease }) => lease > highest)).toEqual([true]);
    await store.close();
  });

  test("changes nothing where nothing is damaged", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    const before = contentOf(root.path);
    expect(await (await doctorOf(root.path)).mend()).toBeUndefined();
    expect(contentOf(root.path)).toEqual(before);
  });

  test("refuses while a worker works on it, and changes nothing", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    const store = await openFiles(root.path, { warn: () => {} });
    await using worker = await store.announce({ kind: "worker" });
    rewrite("queue.json", (text) => text.replace("echo 1", "echo 9"))(root.path);
    const before = contentOf(root.path);
    await expect(doctorOf(root.path).then((doctor) => doctor.mend())).rejects.toThrow(worker.id);
    expect(contentOf(root.path)).toEqual(before);
    await store.close();
  });

  test("leaves alone what a newer version wrote", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    rewrite("queue.json", (text) => text.replace('"version":1', '"version":2'))(root.path);
    const before = contentOf(root.path);
    await expect(doctorOf(root.path).then((doctor) => doctor.mend())).rejects.toThrow("format version 2");
    expect(contentOf(root.path)).toEqual(before);
  });

  test("tells that the clock stands before the newest change", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    const doctor = await openDoctor({ ...filesOptions(root.path), now: () => Date.now() - 3_600_000 });
    const { sound, findings } = await doctor.examine();
    expect(sound).toBe(true);
    expect(findings).toMatchObject([
      { severity: "concern", problem: expect.stringContaining("the clock is 3600 s behind") },
    ]);
  });

  test("keeps the settings that are sound", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    writeFileSync(join(root.path, "config.json"), '{"max_retries":"often","backoff_base":3,"of_a_newer_version":true}');
    const mending = await (await doctorOf(root.path)).mend();
    expect(mending?.findings).toMatchObject([{ path: join(root.path, "config.json") }]);
    const kept = JSON.parse(readFileSync(join(root.path, "config.json"), "utf8")) as object;
    expect(kept).toEqual({ backoff_base: 3, of_a_newer_version: true });
  });

  test("opens what is left of a broken queue.json of the original tool", async () => {
    using root = temporaryDirectory();
    cpSync(join(import.meta.dir, "../fixtures/v0"), root.path, { recursive: true });
    const whole = await openFiles(root.path);
    const ids = (await whole.list()).map(({ id }) => id);
    await whole.close();
    rewrite("queue.json", (text) => text.slice(0, text.lastIndexOf('"command"')))(root.path);
    await (await doctorOf(root.path)).mend();
    const store = await openFiles(root.path);
    expect((await store.list()).map(({ id }) => id)).toEqual(ids.slice(0, -1));
    await store.close();
  });

  test("tells of a directory in the place of a file, and touches nothing", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    rmSync(join(root.path, "queue.json"));
    mkdirSync(join(root.path, "queue.json"));
    await expect(doctorOf(root.path).then((doctor) => doctor.mend())).rejects.toThrow("queue.json: it is a directory");
  });
});

function journalLines(change: (lines: string[]) => string[]): Damage {
  return (directory) => {
    const journal = journalIn(directory);
    writeFileSync(join(directory, journal), `${change(linesOf(directory, journal)).join("\n")}\n`);
  };
}
