/** Machines whose clocks are wrong: the database's counts. */
import { expect, test } from "bun:test";
import { openPostgres } from "../../src/store/postgres/open.ts";
import type { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const HOUR_MS = 3_600_000;
/** Of a clock that was asked for the time on the way. */
const NEARLY_MS = 10_000;

async function openAhead(
  url: string,
  { byMs, dataDirectory }: { byMs: number; dataDirectory: string },
): Promise<PostgresStore> {
  const clock = { now: () => Date.now() + byMs, elapsed: () => performance.now() };
  const rest = { env: {}, found: "in the environment", overrides: {}, random: Math.random, warn: () => {} } as const;
  return openPostgres({ url, dataDirectory, ...rest, ...clock });
}

function expectNearly(is: number | undefined, wanted: number): void {
  expect(Math.abs((is ?? 0) - wanted)).toBeLessThan(NEARLY_MS);
}

test("jobs are due, and retried, by the database's clock, however wrong that of a machine is", async () => {
  using root = temporaryDirectory();
  const url = await freshSchema();
  const at = { dataDirectory: root.path };
  const [fast, slow] = [
    await openAhead(url, { byMs: HOUR_MS, ...at }),
    await openAhead(url, { byMs: -HOUR_MS, ...at }),
  ];
  const soon = Date.now() + HOUR_MS / 2;
  const [now] = await fast.enqueue([
    { id: "now", command: "true" },
    { id: "later", command: "true", run_at: soon },
  ]);
  expectNearly(now?.created_at, Date.now());

  // What the one enqueues is no hour away for the other.
  const { claimed, nextDueAt } = await slow.settle([], { workerId: "worker-1", limit: 2 });
  expect(claimed.map(({ id }) => id)).toEqual(["now"]);
  expectNearly(claimed[0]?.processing_started_at, Date.now());
  // What a worker waits for is told by its own clock.
  expectNearly(nextDueAt, soon - HOUR_MS);
  const idle = await fast.settle([], { workerId: "worker-2", limit: 2 });
  expect(idle.claimed).toEqual([]);
  expectNearly(idle.nextDueAt, soon + HOUR_MS);

  const ends = claimed.map(({ id, lease }) => ({ id, lease, outcome: { kind: "exited", code: 1 } as const }));
  await fast.settle(ends);
  const retried = await slow.get("now");
  expectNearly("run_at" in retried ? retried.run_at : undefined, Date.now() + 2000);

  await Promise.all([fast.close(), slow.close()]);
  await dropSchema(url);
});
