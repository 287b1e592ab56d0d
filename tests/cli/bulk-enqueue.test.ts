import { describe, expect, test as testOnce } from "bun:test";
import { existsSync } from "node:fs";
import { test } from "../support/both-stores.ts";
import { Home, printed, type StoreKind } from "../support/home.ts";
import type { Ended } from "../support/running-program.ts";
import { until } from "../support/until.ts";

/** More than one read brings, so more than one commit. */
const MANY = 10_000;

const FROM_FILE = ["--file jobs.jsonl", "- < jobs.jsonl", "--file - < jobs.jsonl", "--file /dev/stdin < jobs.jsonl"];

function numbered(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({ id: `job-${i + 1}`, command: `echo ${i + 1}` }));
}

function jsonLines(...jobs: readonly object[]): string {
  return jobs.map((job) => `${JSON.stringify(job)}\n`).join("");
}

async function idsIn(home: Home): Promise<string[]> {
  return (await home.jobs()).map(({ id }) => id);
}

/** Enqueues this text from a file and through a pipe, each in a home of its own. How it is read need be tried but on one store. */
async function* everyWay(store: StoreKind, text: string, options = ""): AsyncGenerator<{ home: Home; ended: Ended }> {
  for (const way of store === "files" ? FROM_FILE : FROM_FILE.slice(0, 1)) {
    await using home = await Home.on(store);
    home.write("jobs.jsonl", text);
    yield { home, ended: await home.shell(`queuectl enqueue ${options} ${way}`) };
  }
  await using home = await Home.on(store);
  home.write("jobs.jsonl", text);
  yield { home, ended: await home.shell(`cat jobs.jsonl | queuectl enqueue ${options} -`) };
}

describe("the jobs of a file or of standard input are enqueued", () => {
  test("in its order, each with what its line says", async ({ store }) => {
    const jobs = [
      { command: "echo 1", id: "b" },
      { id: "a", command: "echo 2", priority: 3, max_retries: 0, run_at: 4_102_444_800_000 },
      { id: "ü🔁", command: "printf '\\n'" },
    ];
    for await (const { home, ended } of everyWay(store, jsonLines(...jobs))) {
      expect(ended).toEqual(printed("3 jobs enqueued.\n"));
      expect(await home.jobs()).toMatchObject(jobs);
    }
  });

  test("also without ids, between blank lines, with CRLF, after a byte order mark and without a last newline", async ({
    store,
  }) => {
    const text = '\ufeff\r\n{"command":"echo 1"}\r\n\n \t\n{"command":"echo 2"}\n\r\n{"command":"echo 3"}';
    for await (const { home, ended } of everyWay(store, text)) {
      expect(ended).toEqual(printed("3 jobs enqueued.\n"));
      expect((await home.jobs()).map(({ command }) => command)).toEqual(["echo 1", "echo 2", "echo 3"]);
    }
  });

  test("however many they are", async ({ store }) => {
    const ids = numbered(MANY).map((job) => "id" in job && job.id);
    for await (const { home, ended } of everyWay(store, jsonLines(...numbered(MANY)))) {
      expect(ended).toEqual(printed(`${MANY} jobs enqueued.\n`));
      expect(await idsIn(home)).toEqual(ids as string[]);
    }
  });

  test("one is one, and none is none and makes no queue", async ({ store }) => {
    for await (const { ended } of everyWay(store, jsonLines({ command: "true" }))) {
      expect(ended).toEqual(printed("1 job enqueued.\n"));
    }
    for (const options of ["", "--atomic"]) {
      for await (const { home, ended } of everyWay(store, "\n\n", options)) {
        expect(ended).toEqual(printed("0 jobs enqueued.\n"));
        expect(existsSync(home.data)).toBe(false);
      }
    }
  });

  test("from where standard input stands, when others have read of it before", async (home) => {
    home.write("jobs.jsonl", jsonLines({ id: "header", command: "true" }, { id: "a", command: "true" }));
    const ended = await home.shell("{ read -r header; queuectl enqueue -; } < jobs.jsonl");
    expect(ended).toEqual(printed("1 job enqueued.\n"));
    expect(await idsIn(home)).toEqual(["a"]);
  });

  test.each(Bun.which("jq") === null ? [] : [["jq"]])(
    "from the pipeline that README and the help show, with %s",
    async (home) => {
      for (const name of ["a b.png", "it's.png", "c.txt"]) home.write(`in/${name}`, "");
      const ended = await home.shell(
        `find in -name '*.png' | sort | jq -cR '{command: ("ls " + @sh)}' | queuectl enqueue -`,
      );
      expect(ended).toEqual(printed("2 jobs enqueued.\n"));
      await home.drain();
      const [first, second] = await home.jobs("--state", "completed");
      expect(await home.obey("logs", first?.id ?? "")).toBe("in/a b.png\n");
      expect(await home.obey("logs", second?.id ?? "")).toBe("in/it's.png\n");
    },
  );

  test("as soon as they come, while the pipe stays open", async (home) => {
    const pipe = home.startShell(
      `mkfifo pipe; exec 3<>pipe; printf '%s\\n' '{"id":"a","command":"true"}' >&3; exec queuectl enqueue - < pipe`,
    );
    await until(async () => (await idsIn(home)).length === 1, "the job");
    expect(pipe.hasEnded).toBe(false);
  });
});

describe("on a terminal, a bar grows with what has been read", () => {
  test("of a file, and is gone in the end", async (home) => {
    home.write("jobs.jsonl", jsonLines(...numbered(MANY)));
    const steps = (await home.watchOnTerminal("enqueue", "--file", "jobs.jsonl")).split("\r\u001b[K");
    expect(steps.length).toBeGreaterThan(3);
    expect(steps[1]).toMatch(/^\[#+ +\] \d+ jobs$/);
    expect(steps.at(-2)).toBe(`[${"#".repeat(30)}] ${MANY} jobs`);
    expect(steps.at(-1)).toBe(`${MANY} jobs enqueued.\n`);
  });

  test("and is taken away before an error", async (home) => {
    home.write("jobs.jsonl", `${jsonLines(...numbered(MANY))}oops`);
    const sent = await home.watchOnTerminal("enqueue", "--file", "jobs.jsonl");
    expect(sent).toContain(`\r\u001b[KLine ${MANY + 1}: `);
  });
});

describe("a line that is no job is told by its number, and what stood before it is enqueued", () => {
  const good = [
    { id: "a", command: "true" },
    { id: "b", command: "true" },
  ];
  const bad: [what: string, line: string, sentence: string, hint: string][] = [
    ["not JSON", "{oops", 'Invalid job data: not valid JSON: "{oops".', ""],
    ["two jobs", '{"command":"x"}{"command":"y"}', "Invalid job data: not valid JSON: ", ""],
    ["no object", "[]", 'Invalid job data: expected an object like {"command":"echo hi"}, got [].', ""],
    ["an unknown field", '{"comand":"x"}', 'Invalid job data: unknown field "comand".', 'Did you mean "command"? '],
    ["not UTF-8", '{"command":"\\377"}', "Invalid job data: not valid UTF-8.", ""],
  ];

  test.each(bad)("%s", async ({ store }, _, line, sentence, hint) => {
    for (const way of ["--file jobs.jsonl", "- < jobs.jsonl"]) {
      await using home = await Home.on(store);
      home.write("jobs.jsonl", `${jsonLines(good[0] ?? {})}\n${jsonLines(good[1] ?? {})}`);
      await home.shell(`printf '${line}\\n{"id":"after","command":"true"}\\n' >> jobs.jsonl`);
      const ended = await home.shell(`queuectl enqueue ${way}`);
      expect(ended).toMatchObject({ stdout: "", exitCode: 2 });
      expect(ended.stderr).toStartWith(`Line 4: ${sentence}`);
      expect(ended.stderr).toEndWith(
        `\n${hint}2 jobs were enqueued, up to line 3. To go on, run it again with --skip-existing.\n`,
      );
      expect(await idsIn(home)).toEqual(["a", "b"]);
    }
  });

  test("also far into the file, and going on as it says enqueues the rest, in order", async ({ store }) => {
    const jobs = numbered(MANY).map((job) => JSON.stringify(job));
    for await (const { home, ended } of everyWay(store, jobs.with(MANY - 2, "oops").join("\n"))) {
      expect(ended).toEqual({
        stdout: "",
        stderr:
          `Line ${MANY - 1}: Invalid job data: not valid JSON: "oops".\n` +
          `${MANY - 2} jobs were enqueued, up to line ${MANY - 2}. To go on, run it again with --skip-existing.\n`,
        exitCode: 2,
      });
      home.write("jobs.jsonl", jobs.join("\n"));
      const again = await home.run("enqueue", "--file", "jobs.jsonl", "--skip-existing");
      expect(again).toEqual(printed(`2 jobs enqueued, ${MANY - 2} skipped (their ids or keys exist already).\n`));
      expect((await idsIn(home)).slice(-3)).toEqual([MANY - 2, MANY - 1, MANY].map((n) => `job-${n}`));
    }
  });

  test("in the first line: nothing is enqueued, and no queue made", async ({ store }) => {
    for await (const { home, ended } of everyWay(store, 'oops\n{"command":"true"}')) {
      expect(ended.stderr).toBe('Line 1: Invalid job data: not valid JSON: "oops".\nNothing was enqueued.\n');
      expect(existsSync(home.data)).toBe(false);
    }
  });

  test("where jobs before it have no id, going on is by the lines that are left", async (home) => {
    home.write("my jobs.jsonl", '{"command":"echo 1"}\n\n{"command":"echo 2"}\n{"command":1}\n');
    const fromFile = await home.run("enqueue", "--file", "my jobs.jsonl");
    expect(fromFile.stderr).toEndWith(
      "2 jobs were enqueued, up to line 3. To go on: tail -n +4 'my jobs.jsonl' | queuectl enqueue -\n",
    );
    const fromPipe = await home.shell("cat 'my jobs.jsonl' | queuectl enqueue -");
    expect(fromPipe.stderr).toEndWith("2 jobs were enqueued, up to line 3. To go on, begin after line 3.\n");
  });

  test("one that never ends is refused when it has become too long, and whoever writes it is let go", async (home) => {
    const ended = await home.shell(`{ echo '{"id":"a","command":"true"}'; cat /dev/zero; } | queuectl enqueue -`);
    expect(ended.stderr).toStartWith(
      "Line 2: Invalid job data: the JSON of a job must be at most 1048576 bytes, got more.\n",
    );
    expect(ended).toMatchObject({ stdout: "", exitCode: 2 });
    expect(await idsIn(home)).toEqual(["a"]);
  });

  test("and a pipe that stays open is not waited for", async (home) => {
    const pipe = home.startShell("mkfifo pipe; exec 3<>pipe; echo oops >&3; exec queuectl enqueue - < pipe");
    expect(await pipe.end()).toMatchObject({ stdout: "", exitCode: 2 });
  });
});

describe("an id that is taken", () => {
  test("is told with its line, and what stood before it is enqueued", async (home) => {
    await home.seed([{ id: "dead", command: "false", max_retries: 0 }]);
    await home.drain();
    const refused = async (...ids: string[]): Promise<string> => {
      home.write("jobs.jsonl", jsonLines(...ids.map((id) => ({ id, command: "true" }))));
      const { stderr, ...rest } = await home.run("enqueue", "--file", "jobs.jsonl");
      expect(rest).toEqual({ stdout: "", exitCode: 4 });
      return stderr;
    };
    expect(await refused("dead", "a")).toBe(
      'Line 1: A job with ID "dead" exists already (in the DLQ).\n' +
        "Nothing was enqueued. To leave out what is there already, run it again with --skip-existing.\n",
    );
    expect(await refused("b", "c", "b", "d")).toBe(
      'Line 3: A job with ID "b" exists already (pending).\n' +
        "2 jobs were enqueued, up to line 2. To go on, run it again with --skip-existing.\n",
    );
    expect(await idsIn(home)).toEqual(["b", "c"]);
    home.write("jobs.jsonl", '{"command":"true"}\n{"id":"b","command":"true"}\n');
    expect((await home.run("enqueue", "--file", "jobs.jsonl")).stderr).toEndWith(
      "1 job was enqueued, up to line 1. To go on: tail -n +2 jobs.jsonl | queuectl enqueue - --skip-existing\n",
    );
  });

  test("also far from where it was taken", async ({ store }) => {
    for await (const { home, ended } of everyWay(
      store,
      jsonLines(...numbered(MANY), { id: "job-1", command: "true" }),
    )) {
      expect(ended.stderr).toStartWith(`Line ${MANY + 1}: A job with ID "job-1" exists already (pending).\n`);
      expect(ended.exitCode).toBe(4);
      expect(await idsIn(home)).toHaveLength(MANY);
    }
  });

  test("is skipped and counted with --skip-existing, and the job that has it stays as it is", async ({ store }) => {
    const jobs = ["dead", "old", "a", "a", "b"].map((id) => ({ id, command: "echo new" }));
    for (const how of ["", "--atomic"]) {
      await using home = await Home.on(store);
      await home.seed([{ id: "dead", command: "false", max_retries: 0 }]);
      await home.drain();
      await home.enqueue({ id: "old", command: "echo old" });
      home.write("jobs.jsonl", jsonLines(...jobs));
      const ended = await home.shell(`queuectl enqueue --skip-existing ${how} --file jobs.jsonl`);
      expect(ended).toEqual(printed("2 jobs enqueued, 3 skipped (their ids or keys exist already).\n"));
      expect((await home.jobs()).map(({ id, command }) => [id, command])).toEqual([
        ["old", "echo old"],
        ["a", "echo new"],
        ["b", "echo new"],
      ]);
      expect(await home.deadLetters()).toMatchObject([{ id: "dead", command: "false" }]);
    }
  });

  test("is skipped with --skip-existing for a single job, too, which is a success", async (home) => {
    const enqueue = (command: string) => home.run("enqueue", "--skip-existing", JSON.stringify({ id: "p1", command }));
    expect(await enqueue("echo 1")).toEqual(printed("Job enqueued with ID: p1\n"));
    expect(await enqueue("echo 2")).toEqual(printed("Job p1 exists already: skipped.\n"));
    expect(await home.jobs()).toMatchObject([{ id: "p1", command: "echo 1" }]);
  });

  test("is enqueued by one alone of several that skip it at once", async (home) => {
    home.write("jobs.jsonl", jsonLines(...numbered(MANY)));
    const runs = await Promise.all(
      [1, 2, 3].map(() => home.run("enqueue", "--file", "jobs.jsonl", "--skip-existing", "--json")),
    );
    const tallies = runs.map(({ stdout }) => JSON.parse(stdout) as { enqueued: number; skipped: number });
    expect(tallies.map(({ enqueued, skipped }) => enqueued + skipped)).toEqual([MANY, MANY, MANY]);
    expect(tallies.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(MANY);
    expect(new Set(await idsIn(home)).size).toBe(MANY);
  });
});

describe("with --atomic", () => {
  test("all jobs are enqueued, or, when one line is refused, none", async ({ store }) => {
    const jobs = numbered(MANY);
    for await (const { home, ended } of everyWay(store, jsonLines(...jobs), "--atomic")) {
      expect(ended).toEqual(printed(`${MANY} jobs enqueued.\n`));
      expect(await idsIn(home)).toHaveLength(MANY);
    }
    for await (const { home, ended } of everyWay(store, `${jsonLines(...jobs)}oops`, "--atomic")) {
      expect(ended).toEqual({
        stdout: "",
        stderr: `Line ${MANY + 1}: Invalid job data: not valid JSON: "oops".\nNothing was enqueued.\n`,
        exitCode: 2,
      });
      expect(existsSync(home.data)).toBe(false);
    }
  });

  test("none is, when one id is taken or stands twice", async (home) => {
    await home.enqueue({ id: "old", command: "true" });
    for (const [ids, sentence] of [
      [["a", "b", "old", "c"], 'Line 3: A job with ID "old" exists already (pending).'],
      [["a", "b", "c", "a"], 'Line 4: The job ID "a" stands more than once in this request.'],
    ] as const) {
      home.write("jobs.jsonl", jsonLines(...ids.map((id) => ({ id, command: "true" }))));
      expect(await home.run("enqueue", "--atomic", "--file", "jobs.jsonl")).toEqual({
        stdout: "",
        stderr: `${sentence}\nNothing was enqueued. To leave out what is there already, run it again with --skip-existing.\n`,
        exitCode: 4,
      });
      expect(await idsIn(home)).toEqual(["old"]);
    }
  });

  testOnce.concurrent("more than fit into memory are refused", async () => {
    await using home = new Home();
    const job = '{"command":"true"}';
    for (const [lines, line] of [
      [`yes '${job}' | head -n 1000001`, 1_000_001],
      [`{ echo '${job}'; yes "$(printf '%1000s' '')" | head -c 270000000; echo; echo '${job}'; }`, expect.any(Number)],
    ] as const) {
      const { stderr, exitCode } = await home.shell(`${lines} | queuectl enqueue - --atomic`);
      const [, refused = "", rest] = /^Line (\d+): (.*)$/s.exec(stderr) ?? [];
      expect({ line: Number(refused), rest, exitCode }).toEqual({
        line,
        rest: "--atomic takes at most 1000000 jobs and 256 MiB.\nNothing was enqueued.\n",
        exitCode: 2,
      });
    }
    expect(existsSync(home.data)).toBe(false);
  });
});
