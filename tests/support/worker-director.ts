/** The test's end of obedient jobs: makes their commands, meets them when they run, and tells them what to do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import type { Hello, Order } from "./obedient-job.ts";
import { until } from "./until.ts";

/** One process of an obedient job. */
export class Actor {
  readonly hello: Hello;
  readonly #socket: Socket<Connection>;
  #answers: string[] = [];
  #gone = false;

  constructor(hello: Hello, socket: Socket<Connection>) {
    this.hello = hello;
    this.#socket = socket;
  }

  /** Gives an order and waits until it is carried out. */
  async tell(order: Order): Promise<string> {
    this.#socket.write(JSON.stringify(order));
    await until(() => this.#answers.length > 0 || this.#gone, `job ${this.hello.name} to ${order.do}`);
    return this.#answers.shift() ?? "";
  }

  async gone(): Promise<void> {
    await until(() => this.#gone, `job ${this.hello.name} to end`);
  }

  answered(answer: string): void {
    this.#answers.push(answer);
  }

  left(): void {
    this.#gone = true;
  }
}

interface Connection {
  actor?: Actor;
  text: string;
}

export class WorkerDirector implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "obedient-"));
  readonly #socketPath = join(this.#directory, "s");
  readonly #actors: Actor[] = [];
  readonly #waiting: Actor[] = [];
  readonly #server = Bun.listen<Connection>({
    unix: this.#socketPath,
    socket: {
      open: (socket) => {
        socket.data = { text: "" };
      },
      data: (socket, bytes) => this.#receive(socket, bytes),
      close: (socket) => socket.data.actor?.left(),
    },
  });

  /** The shell command of an obedient job; its process takes the place of the shell. */
  command(name: string): string {
    const words = [process.execPath, join(import.meta.dir, "obedient-job.ts"), this.#socketPath, name];
    return `exec ${words.map((word) => `'${word}'`).join(" ")}`;
  }

  /** The next process of that name to connect; each is met once. */
  async meet(name: string): Promise<Actor> {
    const actor = await until(() => this.#waiting.find(({ hello }) => hello.name === name), `job ${name} to run`);
    this.#waiting.splice(this.#waiting.indexOf(actor), 1);
    return actor;
  }

  /** How many processes of that name have run so far. */
  runs(name: string): number {
    return this.#actors.filter(({ hello }) => hello.name === name).length;
  }

  [Symbol.dispose](): void {
    for (const { hello } of this.#actors) if (isAlive(hello.pid)) process.kill(hello.pid, "SIGKILL");
    this.#server.stop(true);
    rmSync(this.#directory, { recursive: true });
  }

  #receive(socket: Socket<Connection>, bytes: Buffer): void {
    const lines = (socket.data.text + bytes.toString()).split("\n");
    socket.data.text = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as Hello | { answer: string };
      if ("answer" in message) {
        socket.data.actor?.answered(message.answer);
        continue;
      }
      const actor = new Actor(message, socket);
      socket.data.actor = actor;
      this.#actors.push(actor);
      this.#waiting.push(actor);
    }
  }
}

/** Whether this process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
  const state = stdout.toString().trim();
  return state !== "" && !state.startsWith("Z");
}
