/** Looks a queue in PostgreSQL over: whether its schema is what this program made, and its rows are jobs. */
import { hasDeadLetterShape, isJob } from "../../job/shape.ts";
import type { Doctor, Examination, Finding, Mending } from "../doctor.ts";
import { parseAddress } from "./address.ts";
import { Database } from "./database.ts";
import { appliedMigrations, MIGRATIONS, pendingMigrations, sumOf } from "./migrations.ts";
import type { PostgresOptions } from "./open.ts";
import { entryOf, type JobRow } from "./row.ts";

const ROWS_A_BATCH = 10_000;

export class PostgresDoctor implements Doctor {
  readonly location: string;
  readonly #database: Database;

  constructor(options: PostgresOptions) {
    const address = parseAddress(options.url, options.env);
    this.location = address.shown;
    this.#database = new Database({ ...options, address });
  }

  async examine(): Promise<Examination> {
    try {
      return await this.#examine();
    } finally {
      await this.#database[Symbol.asyncDispose]();
    }
  }

  /** What is wrong in a database is for its own tools: this changes nothing. */
  async mend(): Promise<Mending | undefined> {
    return undefined;
  }

  async #examine(): Promise<Examination> {
    const applied = await appliedMigrations(this.#database);
    const pending = pendingMigrations(applied.at(-1)?.number ?? 0, this.#database);
    if (applied.length === 0) return { sound: true, mendable: false, files: [], findings: [] };
    const drifted: Finding[] = MIGRATIONS.filter(({ number, sql }) =>
      applied.some((one) => one.number === number && one.sum !== sumOf(sql)),
    ).map(({ name }) => ({
      severity: "concern",
      path: name,
      problem: "the schema was made by another version of it.",
      jobs: [],
    }));
    const late: Finding[] = pending.map(({ name }) => ({
      severity: "concern",
      path: name,
      problem: "it has not been applied yet: queuectl store-migrate",
      jobs: [],
    }));
    const { findings, jobs } = await this.#readAll();
    const all = [...drifted, ...late, ...findings];
    const sound = all.every(({ severity }) => severity !== "damage");
    return { sound, mendable: false, files: sound ? [{ path: "jobs", holds: `${jobs} jobs` }] : [], findings: all };
  }

  async #readAll(): Promise<{ findings: Finding[]; jobs: number }> {
    const findings: Finding[] = [];
    let jobs = 0;
    for (let last = ""; ; ) {
      const rows: JobRow[] = await this.#database.ask(
        (sql) => sql`SELECT * FROM jobs WHERE id > ${last} ORDER BY id LIMIT ${ROWS_A_BATCH}`,
      );
      if (rows.length === 0) return { findings, jobs };
      for (const row of rows) {
        const entry = entryOf(row);
        const isSound = "state" in entry ? isJob(entry) : hasDeadLetterShape(entry);
        if (!isSound) findings.push({ severity: "damage", path: "jobs", problem: "it is no job.", jobs: [row.id] });
      }
      jobs += rows.length;
      last = rows.at(-1)?.id ?? last;
    }
  }
}
