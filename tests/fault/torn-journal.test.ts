/** Journals that a crash cut short: what is read of them, and how they go on. */
import { describe, expect, test } from "bun:test";
import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFiles } from "../support/files-store.ts";
import { grow, holdingOf } from "../support/small-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("a journal cut short", () => {
  test("at every byte reads as of its last whole line, takes new commits, and never counts a torn one", async () => {
    using root = temporaryDirectory();
    const { directory, journal, stages } = await grow(join(root.path, "grown"));
    const full = readFileSync(join(directory, journal)).length;
    for (let size = 0; size < full; size++) {
      const cut = join(root.path, `cut-${size}`);
      cpSync(directory, cut, { recursive: true });
      truncateSync(join(cut, journal), size);
      const before = expectPresent(stages.findLast((stage) => stage.size <= size)).holding;
      // Only its newline was missing: the writer that closes the line completes it.
      const closed = expectPresent(stages.findLast((stage) => stage.size <= size + 1)).holding;

      const reader = await openFiles(cut);
      expect({ size, ...(await holdingOf(reader)) }).toEqual({ size, ...before });
      await reader.enqueue([{ id: "after", command: "true" }]);
      await reader.close();
      const later = await openFiles(cut, { warn: () => {} });
      expect((await holdingOf(later)).jobs).toEqual([...closed.jobs, { id: "after", state: "pending" }]);
      await later.close();
    }
  });

  test("by a crash that left only NUL bytes behind loses nothing before them", async () => {
    using root = temporaryDirectory();
    const { directory, journal, stages } = await grow(join(root.path, "grown"));
    writeFileSync(join(directory, journal), Buffer.alloc(4096), { flag: "a" });
    const store = await openFiles(directory);
    expect(await holdingOf(store)).toEqual(expectPresent(stages.at(-1)?.holding));
    await store.enqueue([{ id: "after", command: "true" }]);
    await store.close();
    expect((await holdingOf(await openFiles(directory))).jobs.at(-1)?.id).toBe("after");
  });
});

function expectPresent<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a stage of the history is missing");
  return value;
}
