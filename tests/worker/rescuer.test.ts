import { afterEach, beforeEach, expect, test } from "bun:test";
import type { WorkerEvent } from "../../src/job/event.ts";
import type { Lost } from "../../src/store/present.ts";
import { Rescuer } from "../../src/worker/rescuer.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { until } from "../support/until.ts";

class CountingStore extends MemoryStore {
  looks = 0;

  override async lost(): Promise<Lost[]> {
    this.looks += 1;
    return super.lost();
  }
}

let store: CountingStore;
let events: WorkerEvent[];
let hearsAll: boolean;
let rescuer: Rescuer;
let running: Promise<void>;

beforeEach(async () => {
  store = new CountingStore({ now: Date.now, random: () => 0.5, logDirectory: "" });
  await store.enqueue([{ id: "a", command: "true" }]);
  events = [];
  rescuer = new Rescuer(store, {
    workerId: "worker-1",
    held: () => 0,
    hearsAll: () => hearsAll,
    emit: (event) => events.push(event),
  });
});

afterEach(async () => {
  rescuer.stop();
  await running;
});

/** Until it has looked once, and found nothing. */
async function begin(how: { hearsAll: boolean }): Promise<void> {
  ({ hearsAll } = how);
  running = rescuer.run();
  await until(() => store.looks === 1, "the first look");
  await new Promise(setImmediate);
}

async function isRescued(): Promise<void> {
  await until(async () => (await store.counts()).processing === 0, "the job to be rescued");
  expect(events).toMatchObject([{ event: "job", workerId: "worker-1", change: { event: "rescued", from: "gone" } }]);
}

test("a job that is lost is found by looking, where nobody tells of it", async () => {
  await begin({ hearsAll: false });
  await store.settle([], { workerId: "gone", limit: 1 });
  await isRescued();
});

test("who is told of all that happens looks when he is told", async () => {
  await begin({ hearsAll: true });
  await store.settle([], { workerId: "gone", limit: 1 });
  rescuer.noticed();
  await isRescued();
});

test("who is told of nothing any more looks by himself again", async () => {
  await begin({ hearsAll: true });
  hearsAll = false;
  rescuer.noticed();
  await store.settle([], { workerId: "gone", limit: 1 });
  await isRescued();
});

test("who looks because of others that run looks again by himself, whatever he is told", async () => {
  await store.enqueue([{ id: "b", command: "true" }]);
  await using worker = await store.announce({ kind: "worker" });
  await store.settle([], { workerId: worker.id, limit: 1 });
  await begin({ hearsAll: true });
  await store.settle([], { workerId: "gone", limit: 1 });
  await until(async () => (await store.counts()).processing === 1, "the other job to be rescued");
  expect(events).toMatchObject([{ change: { event: "rescued", job: { id: "b" } } }]);
});
