/** Files that this user may not read or not write. Root may do both, so where root runs the tests somebody else is asked. */
import { expect, test } from "bun:test";
import { chmodSync, chownSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Home } from "../support/home.ts";
import type { Ended } from "../support/running-program.ts";

const NOBODY = 65534;
const AS_NOBODY = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;

test.concurrent.each(["queue.json", "dlq.json", "journal"])(
  "%s that may not be read is told, by exit code 7, to readers, writers and doctor, and nothing is changed",
  async (file) => {
    await using store = await Closed.open();
    store.close(file, 0o000);
    const before = store.content();
    for (const args of [
      "status",
      "list",
      `enqueue '{"command":"true"}'`,
      "worker-start --drain",
      "doctor",
      "doctor --fix --yes",
    ]) {
      const { stdout, stderr, exitCode } = await store.queuectl(args);
      expect({ args, stdout, stderr, exitCode }).toEqual({
        args,
        stdout: "",
        stderr: expect.stringContaining("permission denied (EACCES)."),
        exitCode: 7,
      });
    }
    expect(store.content()).toEqual(before);
  },
);

test.concurrent("a journal that may only be read is read, and not written", async () => {
  await using store = await Closed.open();
  store.close("journal", 0o400);
  expect(await store.queuectl("status")).toMatchObject({ exitCode: 0 });
  const before = store.content();
  await store.refusesToEnqueue("it may only be read (EBADF).");
  // The empty journal of a checkpoint that did not come about is there beside them.
  expect(store.content()).toMatchObject(before);
});

test.concurrent("a data directory that may only be read is read, and not written", async () => {
  await using store = await Closed.open();
  store.close("", 0o500);
  expect((await store.queuectl("list")).stdout).toContain('"id": "a"');
  expect(await store.queuectl("doctor")).toMatchObject({ exitCode: 0 });
  const before = store.content();
  await store.refusesToEnqueue("permission denied (EACCES).");
  expect(store.content()).toEqual(before);
});

/** A queue with one job, of a user who is not root. */
class Closed implements AsyncDisposable {
  readonly #home = new Home();

  static async open(): Promise<Closed> {
    const closed = new Closed();
    if (process.getuid?.() === 0) chownSync(closed.#home.path, NOBODY, NOBODY);
    expect(await closed.queuectl(`enqueue '{"id":"a","command":"true"}'`)).toMatchObject({ exitCode: 0 });
    return closed;
  }

  async queuectl(args: string): Promise<Ended> {
    return this.#home.shell(`${process.getuid?.() === 0 ? AS_NOBODY : ""} queuectl ${args}`);
  }

  async refusesToEnqueue(reason: string): Promise<void> {
    const { stderr, exitCode } = await this.queuectl(`enqueue '{"command":"true"}'`);
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining(reason), exitCode: 7 });
  }

  /** The file of the state whose name begins so; the directory itself for none. */
  close(name: string, mode: number): void {
    const file = name === "" ? "" : (readdirSync(this.#home.data).find((found) => found.startsWith(name)) ?? "");
    chmodSync(join(this.#home.data, file), mode);
  }

  content(): Record<string, string> {
    const names = readdirSync(this.#home.data).filter((name) => /\.jsonl?$/.test(name));
    return Object.fromEntries(names.map((name) => [name, this.#bytes(name)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    chmodSync(this.#home.data, 0o700);
    await this.#home[Symbol.asyncDispose]();
  }

  /** Root may read all; another user does not compare what it may not. */
  #bytes(name: string): string {
    try {
      return readFileSync(join(this.#home.data, name), "hex");
    } catch {
      return "unreadable";
    }
  }
}
