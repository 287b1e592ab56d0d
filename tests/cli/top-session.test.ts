/** `top` with its clock in our hands, on a screen that is an array of lines. */
import { expect, test } from "bun:test";
import { TopSession } from "../../src/cli/top/session.ts";
import { QueueError } from "../../src/job/errors.ts";
import { NO_COLOURS } from "../../src/output/colours.ts";
import type { Counts } from "../../src/store/store.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

/** Says how often it was looked at, and may be out of order. */
class WatchedStore extends MemoryStore {
  looks = 0;
  trouble: QueueError | undefined;
  onLook = (): void => {};

  override async counts(): Promise<Counts> {
    this.looks += 1;
    this.onLook();
    if (this.trouble) throw this.trouble;
    return super.counts();
  }
}

class Stage implements AsyncDisposable {
  now = 1_700_000_000_000;
  /** How far the clock goes on with a look. */
  costMs = 0;
  lines: readonly string[] = [];
  readonly canvas = { columns: 80, rows: 24, colours: NO_COLOURS };
  readonly store: WatchedStore;
  readonly #logs = temporaryDirectory();
  #drawn = 0;
  #drawnBefore = 0;
  #session: TopSession | undefined;
  #end: Promise<unknown> | undefined;

  constructor() {
    this.store = new WatchedStore({ now: () => this.now, random: () => 0.5, logDirectory: this.#logs.path });
  }

  static async open(): Promise<Stage> {
    const stage = new Stage();
    stage.store.onLook = () => {
      stage.now += stage.costMs;
      stage.#drawnBefore = stage.#drawn;
    };
    stage.#session = await TopSession.begin(stage.store, () => stage.now);
    stage.#end = stage.#session.run({
      canvas: stage.canvas,
      draw(lines) {
        stage.lines = lines;
        stage.#drawn += 1;
      },
    });
    // It begins with a look, as none was taken while it was listening.
    await stage.looked(2);
    return stage;
  }

  get text(): string {
    return this.lines.join("\n");
  }

  /** Waits until so many looks have been taken, and what they gave is drawn: once beside the last look, and once after it. */
  async looked(times: number): Promise<void> {
    await until(() => this.store.looks === times && this.#drawn >= this.#drawnBefore + 2, `${times} looks`);
  }

  /** Presses it, and waits until it has been drawn: a look that is due has begun by then. */
  async press(key: string): Promise<void> {
    const before = this.lines;
    this.#session?.key(key);
    await until(() => this.lines !== before, "another page");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.key("q");
    await this.#end;
    this.#logs[Symbol.dispose]();
  }
}

test("what changes is shown before a second has passed, and nothing is looked at where nothing has changed", async () => {
  await using stage = await Stage.open();
  stage.now += 500;
  await stage.press("j");
  expect(stage.store.looks).toBe(2);
  await stage.store.enqueue([{ id: "p1", command: "true" }]);
  await stage.looked(3);
  expect(stage.text).toContain("> p1");
});

test("a store that takes long to look at is looked at for a tenth of the time", async () => {
  await using stage = await Stage.open();
  stage.costMs = 300;
  stage.now += 1000;
  await stage.looked(3);
  stage.now += 2500;
  await stage.press("j");
  expect(stage.store.looks).toBe(3);
  stage.now += 500;
  await stage.looked(4);
});

test("a store in trouble is told of, and asked again", async () => {
  await using stage = await Stage.open();
  stage.store.trouble = new QueueError("E_STORE_IO", "The disk is gone.");
  stage.now += 1000;
  await until(() => stage.lines.at(-1) === "The disk is gone.", "the trouble to be told");
  stage.store.trouble = undefined;
  stage.now += 1000;
  await until(() => stage.lines.at(-1)?.endsWith("q quit"), "the trouble to be over");
});
