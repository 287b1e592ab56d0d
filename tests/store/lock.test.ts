/** Who may take the lock of writers, and when. That it need not be held rightly is tested in tests/fault. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstatSync, lutimesSync, readFileSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { acquire, tryAcquire } from "../../src/store/files/lock.ts";
import { ownMark } from "../../src/store/local/identity.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path = "";

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "writer.lock");
});
afterEach(() => directory[Symbol.dispose]());

/** A clock that stands still, so that no lock grows stale. */
const never = (): number => 0;

test("it is held by one at a time, and free again when that one lets go", async () => {
  const lock = await acquire(path, never);
  expect(tryAcquire(path, never)).toBeUndefined();
  const next = acquire(path, never);
  lock[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test("that of a process that is dead is taken over at once", async () => {
  const { pid } = Bun.spawnSync(["true"]);
  const [, start, realm] = ownMark().split("~");
  symlinkSync(`${pid}~${start}~${realm}`, path);
  using _lock = await acquire(path, never);
  expect(readlinkSync(path)).toBe(ownMark());
});

test("that of a process elsewhere is taken over when it has been held for too long", async () => {
  symlinkSync("12~34~elsewhere", path);
  const anHourAgo = new Date(Date.now() - 3_600_000);
  lutimesSync(path, anHourAgo, anHourAgo);
  using _lock = await acquire(path, Date.now);
  expect(readlinkSync(path)).toBe(ownMark());
});

test("a holder that wakes up late does not let go of the lock of the one after it", async () => {
  let time = 0;
  const late = await acquire(path, () => time);
  time = 60_000;
  unlinkSync(path);
  symlinkSync("12~34~elsewhere", path);
  late[Symbol.dispose]();
  expect(readlinkSync(path)).toBe("12~34~elsewhere");
});

test("one that has had some turns lets the first of those who wait go before it", async () => {
  using living = new Living();
  symlinkSync(living.mark, `${path}.next`);
  const order: string[] = [];
  const again = takeSomeTurns().then(() => order.push("again"));
  await new Promise(setImmediate);
  order.push("passed");
  unlinkSync(`${path}.next`);
  await again;
  expect(order).toEqual(["passed", "again"]);
});

test("one that waits says so, and says it no more when it has the lock", async () => {
  const lock = await acquire(path, never);
  const waiting = acquire(path, never);
  await until(
    () => lstatSync(`${path}.next`, { throwIfNoEntry: false }) !== undefined,
    "the mark of the one that waits",
  );
  expect(readlinkSync(`${path}.next`)).toBe(ownMark());
  lock[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
  expect(lstatSync(`${path}.next`, { throwIfNoEntry: false })).toBeUndefined();
});

test("nobody waits for one that is dead, or for ever for one that is frozen", async () => {
  using living = new Living();
  const { pid } = Bun.spawnSync(["true"]);
  const [, start, realm] = ownMark().split("~");
  for (const mark of [`${pid}~${start}~${realm}`, living.mark]) {
    symlinkSync(mark, `${path}.next`);
    await takeSomeTurns();
    expect(lstatSync(`${path}.next`, { throwIfNoEntry: false })).toBeUndefined();
  }
});

async function takeSomeTurns(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) (await acquire(path, never))[Symbol.dispose]();
}

/** Another process that does nothing, with the mark that it would leave. */
class Living implements Disposable {
  readonly #process = Bun.spawn(["sleep", "60"]);

  get mark(): string {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, "latin1");
    const [, , realm] = ownMark().split("~");
    return `${this.#process.pid}~${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}~${realm}`;
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }
}
