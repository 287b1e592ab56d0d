/** Journals and snapshots that something else changed: what is read, said and kept. */
import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../src/job/errors.ts";
import { openFiles } from "../support/files-store.ts";
import {
  contentOf,
  grow,
  holdingOf,
  journalIn,
  linesOf,
  rechecked,
  remove,
  resting,
  resummed,
  rewrite,
} from "../support/small-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("a journal that something else changed", () => {
  test("with its last line broken warns, and keeps a copy in quarantine before it goes on", async () => {
    using root = temporaryDirectory();
    const { directory, journal, stages } = await grow(join(root.path, "grown"));
    const lines = linesOf(directory, journal);
    const broken = (lines.at(-1) ?? "").replace("enqueued", "enqueuee");
    writeFileSync(join(directory, journal), [...lines.slice(0, -1), broken, ""].join("\n"));

    const warnings: string[] = [];
    const store = await openFiles(directory, { warn: (sentence) => warnings.push(sentence) });
    expect(await holdingOf(store)).toEqual(expectPresent(stages.at(-2)?.holding));
    expect(warnings).toEqual([expect.stringContaining(`line ${lines.length} is torn`)]);
    await store.enqueue([{ id: "after", command: "true" }]);
    await store.close();
    const [kept = ""] = readdirSync(join(directory, "quarantine"));
    expect(readFileSync(join(directory, "quarantine", kept), "utf8")).toBe(broken);
  });

  test.each([
    [
      "a line before the last broken",
      (lines: string[]) => lines.with(1, (lines[1] ?? "").replace("claimed", "claimee")),
      2,
    ],
    [
      "a line that was changed together with its checksum",
      (lines: string[]) => lines.with(0, resummed((lines[0] ?? "").replace('"false"', '"halt!"'))),
      2,
    ],
    ["a line removed", (lines: string[]) => lines.toSpliced(1, 1), 2],
    ["the first line removed", (lines: string[]) => lines.slice(1), 1],
    ["two lines swapped", (lines: string[]) => lines.with(1, lines[2] ?? "").with(2, lines[1] ?? ""), 2],
    [
      "the last two lines swapped",
      (lines: string[]) => [...lines.slice(0, -2), lines.at(-1) ?? "", lines.at(-2) ?? ""],
      6,
    ],
    [
      "its last two lines broken",
      (lines: string[]) => lines.map((line, i) => (i < 5 ? line : line.replace("set", "sat"))),
      6,
    ],
  ])("with %s is damage, said with its line, and nothing is written", async (_name, change, line) => {
    using root = temporaryDirectory();
    const { directory, journal } = await grow(join(root.path, "grown"));
    const lines = linesOf(directory, journal);
    expect(lines.length).toBe(7);
    writeFileSync(join(directory, journal), `${change(lines).join("\n")}\n`);
    await expectRefusal(directory, { code: "E_STORE_CORRUPT", message: `${journal}, line ${line}` });
  });

  test("with a path for the generation that comes next is damage", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    const journal = journalIn(root.path);
    const { seq, sum } = JSON.parse(readFileSync(join(root.path, "queue.json"), "utf8"));
    const next = { at: 0, prev: sum, seq, time: 1, by: "x", checkpoint: "1/../../other", records: [], sum: "" };
    writeFileSync(join(root.path, journal), `${resummed(JSON.stringify(next))}\n`);
    await expectRefusal(root.path, corrupt(`${journal}, line 1: it begins a generation that is not the next`));
  });

  test("with a line doubled is read as if it stood there once", async () => {
    using root = temporaryDirectory();
    const { directory, journal, stages } = await grow(join(root.path, "grown"));
    const lines = linesOf(directory, journal);
    writeFileSync(join(directory, journal), `${[...lines, lines.at(-1)].join("\n")}\n`);
    expect(await holdingOf(await openFiles(directory))).toEqual(expectPresent(stages.at(-1)?.holding));
  });
});

describe("a file that cannot be what queuectl wrote", () => {
  const damages: readonly [
    name: string,
    damage: (directory: string) => void,
    expected: { code: string; message: string },
  ][] = [
    [
      "queue.json with a broken line",
      rewrite("queue.json", (text) => text.replace('"command"', '"command')),
      corrupt("queue.json, line 2"),
    ],
    [
      "queue.json with another command in it",
      rewrite("queue.json", (text) => text.replace("echo", "ecco")),
      corrupt("queue.json: its checksum"),
    ],
    [
      "queue.json with another number in its head",
      rewrite("queue.json", (text) => text.replace('"seq":', '"seq":1')),
      corrupt("queue.json: its checksum"),
    ],
    [
      "queue.json formatted anew",
      rewrite("queue.json", (text) => JSON.stringify(JSON.parse(text), null, 2)),
      corrupt("queue.json: its checksum"),
    ],
    [
      "both snapshots with a path for their generation",
      (directory) => {
        for (const name of ["queue.json", "dlq.json"]) {
          rewrite(name, (text) => rechecked(text.replace(/"generation":\d+/, '"generation":"1/../../other"')))(
            directory,
          );
        }
      },
      corrupt("queue.json: its head is not one that queuectl writes"),
    ],
    ["queue.json empty", rewrite("queue.json", () => ""), corrupt("queue.json, line 1: the file is empty")],
    ["queue.json a list", rewrite("queue.json", () => "[]"), corrupt("queue.json, line 1: expected a JSON object")],
    [
      "queue.json of a newer version",
      rewrite("queue.json", (text) => text.replace('"version":1', '"version":2')),
      { code: "E_STORE_VERSION", message: "format version 2" },
    ],
    ["queue.json missing", remove("queue.json"), corrupt("queue.json: it is missing")],
    [
      "dlq.json with a broken line",
      rewrite("dlq.json", (text) => text.replace('"error"', "error")),
      corrupt("dlq.json, line 2"),
    ],
    ["dlq.json missing", remove("dlq.json"), corrupt("dlq.json: it is missing")],
    [
      "config.json with a broken line",
      (directory) => writeFileSync(join(directory, "config.json"), '{\n"max_retries": oops\n}'),
      corrupt("config.json, line 2"),
    ],
    [
      "config.json with a value out of range",
      (directory) => writeFileSync(join(directory, "config.json"), '{"backoff_base":"abc"}'),
      corrupt("config.json: backoff_base must be"),
    ],
    ["its journal missing", (directory) => remove(journalIn(directory))(directory), corrupt("jsonl: it is missing")],
  ];

  test.each(damages)("%s: refused with its name, and not a byte is changed", async (_name, damage, expected) => {
    using root = temporaryDirectory();
    await resting(root.path);
    damage(root.path);
    await expectRefusal(root.path, expected);
  });

  test("the dlq.json of another store is not taken for this one's", async () => {
    using root = temporaryDirectory();
    const [mine, other] = [join(root.path, "mine"), join(root.path, "other")];
    await resting(mine);
    await resting(other);
    cpSync(join(other, "dlq.json"), join(mine, "dlq.json"));
    await expectRefusal(mine, corrupt("queue.json: it is missing, or the files beside it are not its own"));
  });

  test("a directory that others may write is refused", async () => {
    using root = temporaryDirectory();
    await resting(root.path);
    chmodSync(root.path, 0o775);
    await expectRefusal(root.path, { code: "E_STORE_IO", message: "may be written by other users" });
  });

  test("a file where the data directory should be is refused", async () => {
    using root = temporaryDirectory();
    const path = join(root.path, "data");
    writeFileSync(path, "");
    await expect(openFiles(path)).rejects.toThrow("is not a directory");
  });
});

test("files and directories are for their owner alone", async () => {
  using root = temporaryDirectory();
  const directory = join(root.path, "db", "data");
  const store = await openFiles(directory);
  await store.enqueue([{ id: "a", command: "true" }]);
  await store.setConfig("max_retries", 2);
  const modes = new Bun.Glob("**").scanSync({ cwd: directory, onlyFiles: false, absolute: true });
  for (const path of [directory, ...modes]) {
    expect({ path, open: (await Bun.file(path).stat()).mode & 0o077 }).toEqual({ path, open: 0 });
  }
  await store.close();
});

test("reading an empty folder writes nothing into it", async () => {
  using root = temporaryDirectory();
  const store = await openFiles(join(root.path, "db", "data"));
  expect(await holdingOf(store)).toEqual({ jobs: [], dead: [] });
  await store.config();
  await store.present();
  await store.close();
  expect(existsSync(join(root.path, "db"))).toBe(false);
});

/** Neither a reader nor a writer gets by, and every byte stays. */
async function expectRefusal(directory: string, expected: { code: string; message: string }): Promise<void> {
  const before = contentOf(directory);
  for (const use of [read, write]) {
    const error = await use(directory).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ code: expected.code, message: expect.stringContaining(expected.message) });
  }
  expect(contentOf(directory)).toEqual(before);
}

async function read(directory: string): Promise<void> {
  const store = await openFiles(directory);
  await store.list();
  await store.config();
}

async function write(directory: string): Promise<void> {
  await (await openFiles(directory)).enqueue([{ id: "new", command: "true" }]);
}

function corrupt(message: string): { code: string; message: string } {
  return { code: "E_STORE_CORRUPT", message };
}

function expectPresent<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a stage of the history is missing");
  return value;
}
