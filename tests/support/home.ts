/**
 * A place of its own for the compiled program, as on a machine where it was just put: an empty folder that is home and
 * current folder at once, and an environment with nothing else in it. None of what is started there outlives it.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DeadLetter, Entry, Job } from "../../src/job/job.ts";
import { dropSchema, freshSchema, inSchema } from "./postgres.ts";
import { ProgramOnTerminal } from "./program-on-terminal.ts";
import { type Ended, RunningProgram } from "./running-program.ts";
import { until } from "./until.ts";

const DIST = join(import.meta.dir, "..", "..", "dist");
const PREFIX = join(realpathSync(tmpdir()), `queuectl-home-${process.pid}-`);

/** A test that its timeout cuts off disposes of nothing. So a guard waits for the end of this process and then does. */
const GUARD = `
  cat
  while found=$(grep -lsF "HOME=$0" /proc/[0-9]*/environ) || [ -n "$found" ]; do
    for file in $found; do
      pid=\${file#/proc/}
      kill -KILL "\${pid%/environ}"
    done
  done
  rm -rf "$0"*
`;
Bun.spawn(["/bin/sh", "-c", GUARD, PREFIX], {
  detached: true,
  stdin: "pipe",
  stdout: "ignore",
  stderr: "ignore",
  env: { PATH: "/usr/bin:/bin" },
}).unref();

export const STORES = ["files", "PostgreSQL"] as const;
export type StoreKind = (typeof STORES)[number];

/** A job of a queue that somebody else has filled. */
interface Seed {
  readonly id: string;
  readonly command: string;
  readonly state?: Job["state"] | "dead";
  readonly attempts?: number;
  readonly max_retries?: number;
  readonly run_at?: number;
  readonly worker_id?: string;
  readonly last_error?: string;
}

export interface Circumstances {
  /** Relative to the home. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The end of a command that did what it was told. */
export function printed(stdout: string): Ended {
  return { stdout, stderr: "", exitCode: 0 };
}

export class Home implements AsyncDisposable {
  readonly path = mkdtempSync(PREFIX);
  readonly program = join(DIST, "queuectl");
  /** Where the queue is when nothing names another place; beside a database, the output of attempts. */
  readonly data = join(this.path, "db", "data");
  /** Of the schema that the queue is in, if it is in PostgreSQL: with its password, which the program is told apart. */
  readonly url: string | undefined;
  readonly #environment: Record<string, string> = { PATH: `${DIST}:/usr/bin:/bin`, HOME: this.path };
  readonly #started: RunningProgram[] = [];

  /** With the queue in files, unless a URL is given. */
  constructor(url?: string) {
    this.url = url;
    if (url !== undefined) Object.assign(this.#environment, variablesOf(url));
  }

  /** A home whose queue is on that store, and empty. */
  static async on(store: StoreKind): Promise<Home> {
    return new Home(store === "PostgreSQL" ? await freshSchema() : undefined);
  }

  /** The URL without its password, as everybody may see it. */
  get shownUrl(): string | undefined {
    return this.#environment.QUEUECTL_STORE;
  }

  get store(): StoreKind {
    return this.url === undefined ? "files" : "PostgreSQL";
  }

  /** Runs the program to its end. */
  async run(...args: string[]): Promise<Ended> {
    return this.runIn({}, ...args);
  }

  async runIn(circumstances: Circumstances, ...args: string[]): Promise<Ended> {
    return this.#spawn(["queuectl", ...args], circumstances).end();
  }

  /** Runs the program, which must succeed, and returns what it printed. */
  async obey(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run(...args);
    if (exitCode !== 0) throw new Error(`queuectl ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** Runs the program on a terminal of 200 columns without colours, and returns what that was sent, bytes as latin1. */
  async showOnTerminal(...args: string[]): Promise<string> {
    return this.#showOnTerminal({ TERM: "dumb" }, args);
  }

  /** The same on one of so many columns. */
  async showOnTerminalOf(columns: number, ...args: string[]): Promise<string> {
    return this.#showOnTerminal({ TERM: "dumb" }, args, columns);
  }

  /** The same on a terminal where a line may change while somebody looks at it. */
  async watchOnTerminal(...args: string[]): Promise<string> {
    return this.#showOnTerminal({ TERM: "xterm", NO_COLOR: "1" }, args);
  }

  /** Starts the program on a terminal that it may draw on, without colours. */
  startOnTerminal(
    { columns, rows, env = {} }: { columns: number; rows: number; env?: Readonly<Record<string, string>> },
    ...args: string[]
  ): ProgramOnTerminal {
    const variables = { ...this.#environment, TERM: "xterm", NO_COLOR: "1", ...env };
    return new ProgramOnTerminal([this.program, ...args], { cwd: this.path, env: variables, columns, rows });
  }

  /** Runs shell lines, which find `queuectl` on their path, to their end. */
  async shell(script: string, ...args: string[]): Promise<Ended> {
    return this.#spawn(["/bin/sh", "-c", script, "sh", ...args], {}).end();
  }

  /** Starts the program as in a terminal of its own. */
  start(...args: string[]): RunningProgram {
    return this.startIn({}, ...args);
  }

  startIn(circumstances: Circumstances, ...args: string[]): RunningProgram {
    return this.#spawn(["queuectl", ...args], circumstances);
  }

  /** Starts another program, with its arguments. */
  startOther(command: readonly string[], circumstances: Circumstances = {}): RunningProgram {
    return this.#spawn([...command], circumstances);
  }

  startShell(script: string): RunningProgram {
    return this.#spawn(["/bin/sh", "-c", script], {});
  }

  async enqueue(...specs: readonly object[]): Promise<void> {
    for (const spec of specs) await this.obey("enqueue", JSON.stringify(spec));
  }

  /** Puts jobs into a new queue without the program: into files as the original tool wrote them. */
  async seed(jobs: readonly Seed[]): Promise<void> {
    const records = jobs.map((job) => ({ state: "pending", attempts: 0, max_retries: 3, run_at: 0, ...job }));
    if (this.url === undefined) {
      const [dlq = [], queue = []] = [true, false].map((is) =>
        records.filter(({ state }) => (state === "dead") === is),
      );
      this.write("db/data/queue.json", JSON.stringify({ jobs: queue }, null, 2));
      if (dlq.length > 0) this.write("db/data/dlq.json", JSON.stringify({ dlq }, null, 2));
      return;
    }
    await this.obey("status");
    await using sql = inSchema(this.url);
    await sql`
      INSERT INTO jobs (id, state, due, priority, run_at, attempts, max_retries, created_at, updated_at,
        lease, worker_id, last_error, command)
      SELECT id, state, state = 'pending', 0, run_at, attempts, max_retries, 0, 0,
        CASE state WHEN 'processing' THEN nextval('leases') END, worker_id, last_error, command
      FROM json_populate_recordset(NULL::jobs, ${records}::json)`;
  }

  async jobs(...args: string[]): Promise<Job[]> {
    return JSON.parse(await this.obey("list", ...args)) as Job[];
  }

  async deadLetters(): Promise<DeadLetter[]> {
    return JSON.parse(await this.obey("dlq-list")) as DeadLetter[];
  }

  async entry(id: string): Promise<Entry> {
    const { job, dead_letter } = JSON.parse(await this.obey("show", "--json", "--", id)) as Record<string, Entry>;
    return (job ?? dead_letter) as Entry;
  }

  /** Waits until nobody works on a job any more that can be worked on, and returns the log. */
  async drain(...args: string[]): Promise<Ended> {
    return this.run("worker-start", "--drain", ...args);
  }

  /** The text of a file in the home; empty when it is not there. */
  read(path: string): string {
    return existsSync(join(this.path, path)) ? readFileSync(join(this.path, path), "utf8") : "";
  }

  lines(path: string): string[] {
    return this.read(path).split("\n").filter(Boolean);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }

  /** Waits until the file has that many lines. */
  async has(path: string, count = 1): Promise<string[]> {
    return until(() => this.lines(path).length >= count && this.lines(path), `${count} lines in ${path}`);
  }

  /** The pids of all processes that run here, whoever started them: where there is a /proc, they are known by their HOME. */
  processes(): number[] {
    if (process.platform !== "linux") return this.#started.filter(({ hasEnded }) => !hasEnded).map(({ pid }) => pid);
    const mark = `\0HOME=${this.path}\0`;
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => `\0${readEnvironment(pid)}`.includes(mark))
      .map(Number);
  }

  /** Waits until no process runs here any more. */
  async deserted(): Promise<void> {
    await until(() => this.processes().length === 0, "every process to end");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Again and again, for what is being killed may just have started another.
    await until(() => {
      const left = this.processes();
      for (const pid of left) killIfThere(pid);
      return left.length === 0;
    }, "every process to be gone");
    await Promise.all(this.#started.map((program) => program.end()));
    rmSync(this.path, { recursive: true });
    if (this.url !== undefined) await dropSchema(this.url);
  }

  async #showOnTerminal(terminal: Readonly<Record<string, string>>, args: string[], columns = 200): Promise<string> {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    let sent = "";
    const child = Bun.spawn([join(DIST, "queuectl"), ...args], {
      cwd: this.path,
      env: { ...this.#environment, ...terminal },
      terminal: {
        cols: columns,
        data: (_, bytes) => {
          sent += Buffer.from(bytes).toString("latin1");
        },
        exit: () => close(),
      },
    });
    await Promise.all([child.exited, closed]);
    return sent.replaceAll("\r\n", "\n");
  }

  #spawn(command: string[], { cwd = ".", env = {} }: Circumstances): RunningProgram {
    const [program = "", ...args] = command;
    const path = program === "queuectl" ? join(DIST, program) : program;
    const running = new RunningProgram([path, ...args], {
      cwd: join(this.path, cwd),
      env: { ...this.#environment, ...env },
    });
    this.#started.push(running);
    return running;
  }
}

function variablesOf(url: string): Record<string, string> {
  const store = new URL(url);
  const password = decodeURIComponent(store.password);
  store.password = "";
  return { QUEUECTL_STORE: store.href, PGPASSWORD: password };
}

function readEnvironment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    // It ended meanwhile, or is another user's.
    return "";
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
