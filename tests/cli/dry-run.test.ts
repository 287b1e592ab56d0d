/** `--dry-run`: what would be done is said as if it were done, with the same exit code, and everything stays as it is. */
import { describe, expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";

/** More than one read brings. */
const MANY = 10_000;

async function everything(home: Home): Promise<string> {
  return await home.obey("export");
}

describe("enqueue --dry-run", () => {
  test("tells of a single job what enqueue would, and enqueues nothing", async (home) => {
    await home.seed([{ id: "taken", command: "true" }]);
    const before = await everything(home);
    const run = async (...args: string[]) => home.run("enqueue", "--dry-run", ...args);
    expect(await run('{"command":"true"}')).toEqual(printed("Would enqueue 1 job.\n"));
    expect(await run('{"id":"a","command":"true"}', "--json")).toEqual(
      printed('{"enqueued":1,"skipped":0,"dry_run":true}\n'),
    );
    expect(await run('{"id":"taken","command":"true"}', "--skip-existing")).toEqual(
      printed("Would enqueue 0 jobs and skip 1 (its id or key exists already).\n"),
    );
    expect(await run("--after", "taken", "--", "make")).toEqual(printed("Would enqueue 1 job.\n"));
    expect(await run("--after", "nope", "--", "make")).toMatchObject({ stdout: "", exitCode: 3 });
    for (const json of ['{"id":"taken","command":"true"}', '{"id":"a"}', "{"]) {
      expect(await run(json)).toEqual(await home.run("enqueue", json));
    }
    expect(await everything(home)).toBe(before);
  });

  test("reads every line of a file, however many, and finds the ids that are taken", async (home) => {
    await home.seed([
      { id: "taken", command: "true" },
      { id: "dead", command: "true", state: "dead" },
    ]);
    const before = await everything(home);
    const lines = Array.from({ length: MANY }, (_, i) => `{"id":"job-${i}","command":"true"}`);
    const attempt = async (text: string[], ...args: string[]) => {
      home.write("jobs.jsonl", `${text.join("\n")}\n`);
      return home.run("enqueue", "--file", "jobs.jsonl", "--dry-run", ...args);
    };
    expect(await attempt(lines)).toEqual(printed(`Would enqueue ${MANY} jobs.\n`));
    expect(await attempt([...lines, '{"id":"dead","command":"true"}'])).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(
        /^Line 10001: A job with ID "dead" exists already \(in the DLQ\)\.\nNothing was enqueued\./,
      ),
      exitCode: 4,
    });
    expect((await attempt([...lines, lines[0] ?? ""])).stderr).toStartWith(
      'Line 10001: A job with ID "job-0" exists already (pending).\nNothing was enqueued.',
    );
    expect(await attempt([...lines, "{"])).toEqual({
      stdout: "",
      stderr: 'Line 10001: Invalid job data: not valid JSON: "{".\nNothing was enqueued.\n',
      exitCode: 2,
    });
    expect(await attempt([...lines, lines[0] ?? "", '{"id":"taken","command":"true"}'], "--skip-existing")).toEqual(
      printed(`Would enqueue ${MANY} jobs and skip 2 (their ids or keys exist already).\n`),
    );
    expect(await everything(home)).toBe(before);
  });
});

describe("import --dry-run", () => {
  test("checks the stream and whether it would be taken, and imports nothing", async (home) => {
    await home.seed([
      { id: "a", command: "true" },
      { id: "dead", command: "true", state: "dead" },
    ]);
    const stream = await everything(home);
    home.write("queue.jsonl", stream);
    home.write("cut.jsonl", stream.slice(0, -20));
    const run = async (...args: string[]) => home.run("import", "--dry-run", ...args);
    expect(await run("queue.jsonl")).toEqual(await home.run("import", "queue.jsonl"));
    expect((await run("queue.jsonl")).exitCode).toBe(1);
    expect(await run("queue.jsonl", "--merge")).toEqual(
      printed("Would import 1 job, 1 dead letter, 0 archived jobs and 0 settings, less what is there already.\n"),
    );
    expect(await run("cut.jsonl", "--merge")).toEqual(await home.run("import", "cut.jsonl", "--merge"));
    expect(await everything(home)).toBe(stream);
    expect(await run("queue.jsonl", "--data-dir", "other")).toEqual(
      printed("Would import 1 job, 1 dead letter, 0 archived jobs and 0 settings.\n"),
    );
    expect(await home.shell("ls")).toMatchObject({ stdout: expect.not.stringContaining("other") });
  });
});
