import { expect, test } from "bun:test";
import { readdirSync, readlinkSync, realpathSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holdOpen } from "../../src/store/local/hold-open.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const FDS = "/proc/self/fd";

/** The names of the files in a directory that this process has open, whether they are there still or not. */
function openIn(directory: string): string[] {
  return readdirSync(FDS)
    .flatMap((fd) => linkOf(join(FDS, fd)) ?? [])
    .filter((path) => path.startsWith(`${directory}/`))
    .map((path) => path.slice(directory.length + 1))
    .sort();
}

/** Undefined for what has been closed since. */
function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(fd);
  } catch {
    return undefined;
  }
}

test.skipIf(process.platform !== "linux")(
  "files are held open until disposal, those that are removed, too",
  async () => {
    using temporary = temporaryDirectory();
    const directory = realpathSync(temporary.path);
    for (const name of ["kept", "removed"]) writeFileSync(join(directory, name), "x");
    {
      await using _held = holdOpen(["kept", "removed", "missing"].map((name) => join(directory, name)));
      unlinkSync(join(directory, "removed"));
      expect(openIn(directory)).toEqual(["kept", "removed (deleted)"]);
    }
    expect(openIn(directory)).toEqual([]);
  },
);
