/**
 * `npm run demo`: the example session of the documentation, command for command, with the built `dist/queuectl` and real
 * workers in a temporary directory. It shows what two terminals would, and its exit code says whether that was right. It
 * takes 15 seconds, for the job that fails is retried after 2, 4 and 8.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const QUEUECTL = join(import.meta.dir, "dist", "queuectl");
const PATIENCE_MS = 120_000;
type Command = Bun.Subprocess<"ignore", "pipe", "pipe">;

const problems: string[] = [];

class Session implements AsyncDisposable {
  readonly #directory = realpathSync(mkdtempSync(join(tmpdir(), "queuectl-demo-")));
  /** Rejects when there is nothing to wait for any more: ^C, or nothing moves. */
  readonly #givenUp = Promise.withResolvers<never>();
  readonly #patience = setTimeout(() => this.#giveUp(`not done after ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
  readonly #commands: Command[] = [];
  #log = "";
  /** Resolves, and is made anew, whenever the workers have printed something; rejects when they have left. */
  #news = Promise.withResolvers<void>();

  constructor() {
    this.#givenUp.promise.catch(() => {});
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#giveUp(signal));
  }

  /** Runs a command, shows what it prints, and returns that. */
  async run(...words: string[]): Promise<string> {
    console.log(`\n$ ${commandLine(words)}`);
    const { stdout, stderr, exited } = this.#spawn(words);
    const ended = Promise.all([stdout.text(), stderr.text(), exited]);
    const [printed, complaint, code] = await Promise.race([ended, this.#givenUp.promise]);
    console.log(`${printed}${complaint}`.trimEnd());
    check(code === 0, `${commandLine(words)} ended with exit code ${code}`);
    return printed;
  }

  /** Starts workers as in another terminal; resolves with the exit code once all have left. */
  async work(...words: string[]): Promise<number> {
    console.log(`\n$ ${commandLine(words)}        # in another terminal, whose lines begin with │ here`);
    const { stdout, stderr, exited } = this.#spawn(words);
    await Promise.all([this.#show(stdout), this.#show(stderr)]);
    this.#news.promise.catch(() => {});
    this.#news.reject(new Error("The workers have left."));
    return exited;
  }

  /** Waits until the workers have printed a line that ends so, `times` times. */
  async logSays(end: string, times = 1): Promise<void> {
    while (this.#log.split(`${end}\n`).length <= times) {
      await Promise.race([this.#news.promise, this.#givenUp.promise]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#patience);
    // QUIT has workers end what they run and leave, which takes them a moment.
    for (const command of this.#commands) command.kill("SIGQUIT");
    const insistence = setTimeout(() => {
      for (const command of this.#commands) command.kill("SIGKILL");
    }, 5000);
    await Promise.all(this.#commands.map(({ exited }) => exited));
    clearTimeout(insistence);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #giveUp(why: string): void {
    this.#givenUp.reject(new Error(`Given up: ${why}.`));
  }

  #spawn(words: readonly string[]): Command {
    // What the user has set for a queue of his own must not reach this one.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("QUEUECTL_"));
    const command = Bun.spawn([QUEUECTL, ...words], {
      cwd: this.#directory,
      env: { ...Object.fromEntries(inherited), QUEUECTL_DATA_DIR: join(this.#directory, "db", "data") },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // A ^C is for this process alone, which then ends the others.
      detached: true,
    });
    this.#commands.push(command);
    return command;
  }

  async #show(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) console.log(`│ ${line}`);
      this.#log += lines.map((line) => `${line}\n`).join("");
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    }
  }
}

async function play(session: Session): Promise<void> {
  await session.run("enqueue", '{"id":"p1","command":"echo 1"}');
  await session.run("enqueue", '{"id":"p2","command":"echo 2"}');
  await session.run("enqueue", '{"id":"fail","command":"badcmd"}');
  const workers = session.work("worker-start", "--count", "2");
  for (const line of ["succeeded: p1", "succeeded: p2", "1 → retry in 2s"]) await session.logSays(line);

  const working = await session.run("status");
  check(working.includes("activeWorkers: 2"), "status did not count the 2 workers of the other terminal");
  check(working.includes("completed: 2"), "status did not count p1 and p2 as completed");
  const completed = JSON.parse(await session.run("list", "--state", "completed"));
  check(`${completed.map(({ id }: { id: string }) => id)}` === "p1,p2", "list did not show p1 and p2 as completed");

  for (const line of ["2 → retry in 4s", "3 → retry in 8s", "fail moved to DLQ"]) await session.logSays(line);
  const said = await session.run("logs", "fail");
  check(/badcmd.*not found/.test(said), "logs fail did not show what the shell said");
  await session.run("show", "fail");
  const [dead] = JSON.parse(await session.run("dlq-list"));
  check(dead?.id === "fail" && dead.attempts === 4, "dlq-list did not show fail after 4 attempts");
  check(/^exit 127: .*badcmd.*not found$/.test(dead?.error), "the error in the DLQ did not say what happened");

  await session.run("dlq-retry", "fail");
  await session.logSays("1 → retry in 2s", 2);
  const retried = await session.run("status");
  check(/pending: 1, processing: 0|pending: 0, processing: 1/.test(retried), "fail was not back in the queue");
  const stopped = await session.run("worker-stop");
  check(stopped === "Stopped 2 workers.\n", "worker-stop did not stop the 2 workers");
  check((await workers) === 0, "worker-start, stopped, did not end with exit code 0");
  const idle = await session.run("status");
  check(idle.includes("activeWorkers: 0, pending: 1, processing: 0, completed: 2"), "the workers left a mess");
}

function check(isRight: boolean, problem: string): void {
  if (!isRight) problems.push(problem);
}

function commandLine(words: readonly string[]): string {
  return ["queuectl", ...words.map((word) => (/^[\w-]+$/.test(word) ? word : `'${word}'`))].join(" ");
}

{
  await using session = new Session();
  await play(session).catch((error: Error) => problems.push(error.message));
}
console.log(problems.length === 0 ? "\nAll as it should be." : `\nNot as it should be:\n- ${problems.join("\n- ")}`);
process.exitCode = problems.length === 0 ? 0 : 1;
