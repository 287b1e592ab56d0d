import { expect, test } from "bun:test";
import { join } from "node:path";
import { JOB_KINDS, type JobKind, jobCommand, parseLedger } from "../../src/selftest/execution-ledger.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const EXIT: Readonly<Record<JobKind, number>> = {
  succeeds: 0,
  fails: 3,
  recovers: 1,
  "takes-long": 0,
  "ignores-term": 0,
  forks: 1,
  escapes: 1,
};

/** Those whose children outlive them go on writing. */
test.concurrent.each(JOB_KINDS)(
  "a job of the kind %s writes down what it does, and exits as it should",
  async (kind) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "it's a ledger");
    const env = { PATH: process.env.PATH ?? "", QUEUECTL_JOB_ID: "a", QUEUECTL_ATTEMPT: "1", QUEUECTL_LEASE: "7" };
    const shell = Bun.spawn(["/bin/sh", "-c", jobCommand(kind, path)], { env, stdout: "pipe", stderr: "pipe" });
    const printed = await Promise.all([shell.stdout.text(), shell.stderr.text()]);
    expect({ printed, code: await shell.exited }).toEqual({ printed: ["", ""], code: EXIT[kind] });
    const lines = parseLedger(await Bun.file(path).text());
    expect(lines[0]).toMatchObject({ what: "start", job: "a", attempt: 1, lease: 7 });
    expect(lines.filter(({ what }) => what === "end")).toHaveLength(1);
    const beatsAfterEnd = lines.slice(lines.findIndex(({ what }) => what === "end") + 1);
    expect(beatsAfterEnd.length > 0).toBe(kind === "forks" || kind === "escapes");
  },
);
