/**
 * The answer to a commit is lost, or the server refuses in passing: each call of the store is done exactly once all the
 * same, and says so. A commit is held by a trigger that waits at the end of the transaction for a lock of the test's, so
 * that its answer can be taken away for certain: before the commit is done, or after.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { cancel, remove } from "../../src/job/control.ts";
import { checkChanges, edit } from "../../src/job/edit.ts";
import type { Entry } from "../../src/job/job.ts";
import type { Outcome } from "../../src/job/outcome.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import type { Store } from "../../src/store/store.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";
import { requeue } from "../support/requeue.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const root = temporaryDirectory();
afterAll(() => root[Symbol.dispose]());

const exited = (code: number) => ({ kind: "exited", code }) as const;
const ids = (jobs: readonly { id: string }[]): string[] => jobs.map(({ id }) => id);
const many = Array.from({ length: 600 }, (_, index) => ({ id: `m${index}`, command: "true" }));

/** When the connection is lost: the answer to what was done, or the server goes on doing it while it is asked again. */
type Loss = "after the commit" | "before the commit";
const LOSSES: readonly Loss[] = ["after the commit", "before the commit"];

describe.each(LOSSES)("a connection that is lost %s", (loss) => {
  test.concurrent("of one job leaves one, and the call returns it", async () => {
    await using bench = await Bench.open();
    const [job] = await bench.losing(loss, () => bench.store.enqueue([{ id: "p1", command: "true" }]));
    expect<unknown>(await bench.store.get("p1")).toEqual(job);
    expect(ids(await bench.store.list())).toEqual(["p1"]);
  });

  test.concurrent("of a job without an id leaves one", async () => {
    await using bench = await Bench.open();
    const jobs = await bench.losing(loss, () => bench.store.enqueue([{ command: "true" }]));
    expect(ids(jobs)).toEqual(ids(await bench.store.list()));
  });

  test.concurrent("of many jobs leaves them once, and the call returns them in order", async () => {
    await using bench = await Bench.open();
    const jobs = await bench.losing(loss, () => bench.store.enqueue(many));
    expect(ids(jobs)).toEqual(ids(many));
    expect(ids(await bench.store.list())).toEqual(ids(many));
  });

  test.concurrent("of a way back from the dead letter queue leaves the job pending once", async () => {
    await using bench = await Bench.open();
    await bench.withDeadLetter("p1");
    const jobs = await bench.losing(loss, () => requeue(bench.store, ["p1"]));
    expect(jobs).toMatchObject([{ id: "p1", state: "pending", attempts: 0 }]);
    expect<unknown>(await bench.store.list()).toEqual(jobs);
    expect(await bench.store.deadLetters()).toEqual([]);
  });

  test.concurrent("of a change by hand makes it once, and the call returns what was done", async () => {
    await using bench = await Bench.open();
    await bench.direct.enqueue(["p1", "p2", "p3"].map((id) => ({ id, command: "true" })));
    const change = edit(checkChanges({ delay: "1m", priority: 3 }));
    const edited = await bench.losing(loss, () => bench.store.alter(["p1", "p2"], change));
    expect(edited).toMatchObject([{ event: "edited" }, { event: "edited" }]);
    expect<unknown>(await bench.store.get("p1")).toEqual(edited[0]?.job);
    const canceled = await bench.losing(loss, () => bench.store.alter(["p2"], cancel));
    expect(canceled).toMatchObject([{ event: "failed", job: { id: "p2", last_error: "canceled" } }]);
    const removed = await bench.losing(loss, () => bench.store.alter(["p2", "p1"], remove));
    expect(removed).toMatchObject([
      { event: "removed", job: { id: "p2" } },
      { event: "removed", job: { id: "p1" } },
    ]);
    expect(ids(await bench.store.list())).toEqual(["p3"]);
  });

  test.concurrent.each([
    ["completed", exited(0)],
    ["rescheduled", exited(1)],
    ["dead-lettered", exited(1)],
    ["released", { kind: "released" }],
  ] as const)(
    "of an end says that the job is %s, and what was claimed with it is given once more",
    async (event, outcome) => {
      await using bench = await Bench.open();
      await using worker = await bench.store.announce({ kind: "worker" });
      const max_retries = event === "dead-lettered" ? 0 : 3;
      await bench.store.enqueue(["p1", "p2", "p3"].map((id) => ({ id, command: "true", max_retries })));
      const claimant = (...holds: number[]) => ({ workerId: worker.id, limit: 1, holds: new Set(holds) });
      // Whoever hands a job back takes no other.
      const ending = (lease: number) => ({ ...claimant(lease), limit: event === "released" ? 0 : 1 });
      const [first] = (await bench.store.settle([], claimant())).claimed;
      const { id = "", lease = 0 } = first ?? {};
      const end = { id, lease, outcome };
      const turn = await bench.losing(loss, () => bench.store.settle([end], ending(lease)));
      expect(turn.ended).toMatchObject([{ event, job: { id: "p1" } }]);
      const [{ job }] = turn.ended as unknown as [{ job: Entry }];
      expect(await bench.store.get("p1")).toEqual(job);
      // Where the earlier asking claimed while the later one looked, the two have claimed one each.
      const later = await bench.store.settle([], claimant(...turn.claimed.map((one) => one.lease)));
      const claimed = [...turn.claimed, ...later.claimed];
      expect(ids(claimed)).toContain(event === "released" ? "p1" : "p2");
      expect(claimed.every(({ attempts }) => attempts === 1)).toBe(true);
    },
  );

  test.concurrent("of an end whose lease is lost says so", async () => {
    await using bench = await Bench.open();
    await using worker = await bench.store.announce({ kind: "worker" });
    await bench.store.enqueue([{ id: "p1", command: "true" }]);
    const [job] = (await bench.store.settle([], { workerId: worker.id, limit: 1 })).claimed;
    const { id = "", lease = 0 } = job ?? {};
    await bench.direct.settle([{ id, lease, outcome: { kind: "worker-lost", workerId: worker.id } }]);
    await bench.direct.enqueue([{ id: "p2", command: "true" }]);
    const turn = await bench.losing(loss, () =>
      // The claim makes it a commit that changes something.
      bench.store.settle([{ id, lease, outcome: exited(0) }], {
        workerId: worker.id,
        limit: 1,
        holds: new Set([lease]),
      }),
    );
    expect(turn.ended).toEqual([{ event: "lease-lost", id, lease }]);
    expect(await bench.store.get("p1")).toMatchObject({ state: "pending", attempts: 1 });
  });

  test.concurrent("of an announcement leaves one presence, under the first name", async () => {
    await using bench = await Bench.open();
    const worker = await bench.losing(loss, () => bench.store.announce({ kind: "worker" }));
    expect(worker.id).toBe(`worker-${process.pid}`);
    expect(ids(await bench.store.present())).toEqual([worker.id]);
    await worker[Symbol.asyncDispose]();
    expect(await bench.store.present()).toEqual([]);
  });
});

test.concurrent("a job that has been run and archived before its enqueuing is asked again is not run once more", async () => {
  await using bench = await Bench.open();
  const enqueue = () => bench.store.enqueue([{ id: "p1", command: "true" }]);
  const jobs = await bench.losing("after the commit", enqueue, async () => {
    await bench.run(exited(0));
    await bench.direct.prune({ keep: 0 });
  });
  expect(jobs).toMatchObject([{ id: "p1", state: "pending" }]);
  expect(await bench.store.counts()).toMatchObject({ pending: 0, archived: 1 });
});

test.concurrent("a dead letter that was put back and has died again before that is asked again stays dead", async () => {
  await using bench = await Bench.open();
  await bench.withDeadLetter("p1");
  const putBack = () => requeue(bench.store, ["p1"]);
  const jobs = await bench.losing("after the commit", putBack, () => bench.run(exited(1)));
  expect(jobs).toMatchObject([{ id: "p1", state: "pending" }]);
  expect(await bench.store.counts()).toMatchObject({ pending: 0, dead: 1 });
});

test.concurrent("a job that was removed, and enqueued by somebody else before that is asked again, stays", async () => {
  await using bench = await Bench.open();
  await bench.direct.enqueue([{ id: "p1", command: "true" }]);
  const removal = () => bench.store.alter(["p1"], remove);
  const removed = await bench.losing("after the commit", removal, async () => {
    await bench.direct.enqueue([{ id: "p1", command: "echo another" }]);
  });
  expect(removed).toMatchObject([{ event: "removed", job: { id: "p1", command: "true" } }]);
  expect(await bench.store.get("p1")).toMatchObject({ command: "echo another" });
});

test.concurrent("a worker that does not hear that it is to end an attempt reads it soon, once", async () => {
  await using bench = await Bench.open();
  const asked: number[] = [];
  await using worker = await bench.store.announce({ kind: "worker", onAsked: (lease) => asked.push(lease) });
  await bench.execute(`UPDATE presence SET asked = '{4711,4712}' WHERE id = '${worker.id}'`);
  await until(() => asked.length > 0, "the worker to be asked");
  expect(asked).toEqual([4711, 4712]);
  expect(await bench.execute("SELECT asked FROM presence")).toMatchObject([{ asked: [] }]);
});

test.concurrent("an id that somebody else took while the commit was in doubt is refused", async () => {
  await using bench = await Bench.open();
  const enqueued = await bench.held(() => bench.store.enqueue([{ id: "p1", command: "true" }]));
  bench.proxy.refuse();
  bench.proxy.cut();
  await bench.undo();
  await bench.direct.enqueue([{ id: "p1", command: "false" }]);
  await bench.proxy.accept();
  await expect(enqueued.answer).rejects.toMatchObject({ code: "E_JOB_EXISTS" });
  expect(await bench.store.get("p1")).toMatchObject({ command: "false" });
});

test.concurrent("the very same job of another call is refused, be it of one or of many", async () => {
  await using bench = await Bench.open();
  await bench.store.enqueue([{ id: "m7", command: "true" }]);
  await expect(bench.store.enqueue([{ id: "m7", command: "true" }])).rejects.toMatchObject({ code: "E_JOB_EXISTS" });
  await expect(bench.store.enqueue(many)).rejects.toMatchObject({ code: "E_JOB_EXISTS", index: 7 });
  expect(ids(await bench.store.list())).toEqual(["m7"]);
});

test.concurrent("what a worker learned at its claim does not let it end a job that is another's by now", async () => {
  await using bench = await Bench.open();
  await bench.store.enqueue([{ id: "p1", command: "true" }]);
  const [job] = (await bench.store.settle([], { workerId: "worker-1", limit: 1 })).claimed;
  const { id = "", lease = 0 } = job ?? {};
  await bench.direct.settle([{ id, lease, outcome: { kind: "released" } }]);
  await bench.direct.settle([], { workerId: "worker-2", limit: 1 });
  const { ended } = await bench.store.settle([{ id, lease, outcome: exited(0) }]);
  expect(ended).toEqual([{ event: "lease-lost", id, lease }]);
  expect(await bench.store.get("p1")).toMatchObject({ state: "processing", worker_id: "worker-2" });
});

describe("what the server refuses in passing is asked again", () => {
  test.concurrent.each([
    ["a serialization failure", "40001"],
    ["a deadlock", "40P01"],
    ["no connection left", "53300"],
    ["a shutdown", "57P01"],
    ["a crash", "57P02"],
  ])("%s (%s)", async (_, state) => {
    await using bench = await Bench.open();
    await using worker = await bench.store.announce({ kind: "worker" });
    await bench.refuseOnce(state);
    await bench.store.enqueue([{ id: "p1", command: "true" }]);
    await bench.refuseOnce(state);
    await bench.store.enqueue(many);
    await bench.refuseOnce(state);
    const [job] = (await bench.store.settle([], { workerId: worker.id, limit: 1 })).claimed;
    await bench.refuseOnce(state);
    const { id = "", lease = 0 } = job ?? {};
    const { ended } = await bench.store.settle([{ id, lease, outcome: exited(0) }]);
    expect(ended).toMatchObject([{ event: "completed", job: { id: "p1", attempts: 1 } }]);
    expect(await bench.store.counts()).toMatchObject({ pending: many.length, processing: 0, completed: 1 });
  });

  test.concurrent("but a disk that is full is not", async () => {
    await using bench = await Bench.open();
    await bench.refuseOnce("53100");
    const refused = bench.store.enqueue([{ id: "p1", command: "true" }]);
    await expect(refused).rejects.toMatchObject({ code: "E_STORE_IO" });
    expect(await bench.store.list()).toEqual([]);
  });
});

/** The key of the lock differs from test to test, for they share a server. */
let locks = 0;

const TRIGGERS = `
  CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(tg_argv[0]::bigint);
    RETURN NULL;
  END $$;

  CREATE SEQUENCE refusals START 2;
  CREATE TABLE refusal (state text);
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    -- No rollback takes a number back.
    IF nextval('refusals') = 1 THEN
      RAISE EXCEPTION 'refused in passing' USING ERRCODE = (SELECT state FROM refusal);
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON jobs EXECUTE FUNCTION refuse();
`;

/** A call under way, until its commit. */
interface Held<T> {
  readonly answer: Promise<T>;
  /** The process of the server. */
  readonly pid: number;
  hasEnded(): boolean;
}

/** A store behind a proxy, another that is connected directly, and a hand on the server. */
class Bench implements AsyncDisposable {
  readonly store: Store;
  readonly direct: Store;
  readonly proxy: TcpProxy;
  readonly #url: string;
  readonly #sql: Bun.SQL;
  readonly #lock: number;

  private constructor(url: string, stores: { store: Store; direct: Store }, means: { proxy: TcpProxy; sql: Bun.SQL }) {
    this.#url = url;
    this.store = stores.store;
    this.direct = stores.direct;
    this.proxy = means.proxy;
    this.#sql = means.sql;
    locks += 1;
    this.#lock = process.pid * 1000 + locks;
  }

  static async open(): Promise<Bench> {
    const url = await freshSchema();
    const proxy = await TcpProxy.start(Number(new URL(url).port));
    const proxied = new URL(url);
    proxied.port = `${proxy.port}`;
    const direct = await openAt(url);
    const plain = new URL(url);
    plain.searchParams.delete("schema");
    const search_path = new URL(url).searchParams.get("schema") ?? "";
    const sql = new Bun.SQL({ url: plain.href, max: 1, connection: { search_path } });
    const bench = new Bench(url, { store: await openAt(proxied.href), direct }, { proxy, sql });
    await bench.#setUp();
    return bench;
  }

  /** On the server, past the stores. */
  async execute(statement: string): Promise<unknown[]> {
    return Array.from((await this.#sql.unsafe(statement)) as Iterable<unknown>);
  }

  /** Has the server refuse the next change of a job with this state, and then no more. */
  async refuseOnce(state: string): Promise<void> {
    await this.#sql.unsafe(
      `DELETE FROM refusal; INSERT INTO refusal VALUES ('${state}'); SELECT setval('refusals', 1, false)`,
    );
  }

  async withDeadLetter(id: string): Promise<void> {
    await this.direct.enqueue([{ id, command: "false", max_retries: 0 }]);
    await this.run(exited(1));
  }

  /** Runs the first due job, as it were, on the other store. */
  async run(outcome: Outcome): Promise<void> {
    const { claimed } = await this.direct.settle([], { workerId: "worker-1", limit: 1 });
    await this.direct.settle(claimed.map(({ id, lease }) => ({ id, lease, outcome })));
  }

  /** Begins a call and waits until the server is about to commit it. */
  async held<T>(call: () => Promise<T>): Promise<Held<T>> {
    await this.#sql`SELECT pg_advisory_lock(${this.#lock})`;
    const answer = call();
    let hasEnded = false;
    const end = (): void => {
      hasEnded = true;
    };
    answer.then(end, end);
    const pid = await until(async () => (await this.#waiting())[0], "a commit to be held");
    return { answer, pid, hasEnded: () => hasEnded };
  }

  /** The answer of a call whose connection is lost; `meanwhile` comes between an answer that is lost and the next asking. */
  async losing<T>(loss: Loss, call: () => Promise<T>, meanwhile?: () => Promise<void>): Promise<T> {
    const { answer, pid, hasEnded } = await this.held(call);
    if (loss === "after the commit") {
      this.proxy.mute();
      await this.#release();
      await until(async () => (await this.#stateOf(pid)) === "idle", "the commit to be done");
      await meanwhile?.();
      this.proxy.cut();
    } else {
      this.proxy.cut();
      await until(async () => hasEnded() || (await this.#isAskedAgain()), "the call to ask again");
      await this.#release();
    }
    return answer;
  }

  /** Has the server undo what it was about to commit. */
  async undo(): Promise<void> {
    const [pid] = await this.#waiting();
    await this.#sql`SELECT pg_terminate_backend(${pid})`;
    await until(async () => (await this.#stateOf(pid ?? 0)) === undefined, "the connection to be gone");
    await this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.direct.close();
    await this.#sql.close();
    await this.proxy[Symbol.asyncDispose]();
    await dropSchema(this.#url);
  }

  async #setUp(): Promise<void> {
    await this.#sql.unsafe(TRIGGERS);
    for (const [table, when] of [
      ["jobs", "INSERT OR UPDATE OR DELETE"],
      ["presence", "INSERT"],
    ]) {
      await this.#sql.unsafe(
        `CREATE CONSTRAINT TRIGGER hold AFTER ${when} ON ${table} DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION hold(${this.#lock})`,
      );
    }
  }

  async #release(): Promise<void> {
    await this.#sql`SELECT pg_advisory_unlock(${this.#lock})`;
  }

  /** The processes of the server that wait for this test, or for one that does; the longest waiting first. */
  async #waiting(): Promise<number[]> {
    const rows: { pid: number }[] = await this.#sql`
      WITH first AS (SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))
      SELECT pid FROM pg_stat_activity
      WHERE pid IN (SELECT pid FROM first)
        OR pg_blocking_pids(pid) && (SELECT coalesce(array_agg(pid), '{}') FROM first)
      ORDER BY query_start`;
    return rows.map(({ pid }) => pid);
  }

  /** By somebody who waits for what is held, or asks what became of it. */
  async #isAskedAgain(): Promise<boolean> {
    if ((await this.#waiting()).length > 1) return true;
    const [row] = await this.#sql`
      SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE client_port = ANY (${`{${this.proxy.ports.join(",")}}`}::int[])
          AND query LIKE '%pg_xact_status%'
      ) AS is_asked`;
    return row.is_asked;
  }

  async #stateOf(pid: number): Promise<string | undefined> {
    const [row] = await this.#sql`SELECT state FROM pg_stat_activity WHERE pid = ${pid}`;
    return row?.state;
  }
}

function openAt(url: string): Promise<Store> {
  return openPostgres({
    url,
    env: {},
    dataDirectory: join(root.path, new URL(url).port),
    found: "in the environment",
    now: Date.now,
    random: Math.random,
    elapsed: () => performance.now(),
    overrides: { backoff_base: 1000 },
    warn: () => {},
  });
}
