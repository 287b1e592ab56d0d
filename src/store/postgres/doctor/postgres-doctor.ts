/**
 * Looks a queue in PostgreSQL over: whether its schema is what the migrations made, its rows are sound, and nothing keeps the
 * server from keeping it small. It changes nothing, for here a person has better tools, and backups.
 */
import type { Doctor, Examination, Finding, Mending } from "../../doctor.ts";
import { parseAddress } from "../address.ts";
import { describeSchema } from "../catalog.ts";
import { Database } from "../database.ts";
import { type Applied, appliedMigrations, pendingMigrations, versionOf } from "../migrations.ts";
import type { PostgresOptions } from "../open.ts";
import { examineContents } from "./contents.ts";
import { drift } from "./drift.ts";
import { examineSurroundings } from "./surroundings.ts";

export class PostgresDoctor implements Doctor {
  readonly location: string;
  readonly #options: PostgresOptions;

  constructor(options: PostgresOptions) {
    this.location = parseAddress(options.url, options.env).shown;
    this.#options = options;
  }

  async examine(): Promise<Examination> {
    const { url, env, ...rest } = this.#options;
    await using database = new Database({ ...rest, address: parseAddress(url, env) });
    const applied = await appliedMigrations(database);
    const pending = pendingMigrations(versionOf(applied), database).map(({ name }) => notApplied(name));
    if (applied.length === 0) return { sound: true, mendable: false, files: [], findings: [] };
    const drifted = drift(applied, await database.ask(describeSchema));
    // What is missing cannot be read.
    const common = { schema: database.schema, found: [...drifted, ...pending] };
    if (drifted.some(isLoss)) return examination(common, []);
    const { tables, findings } = await examineContents(database);
    const around = await examineSurroundings(database);
    const found = [...common.found, ...findings, ...around];
    return examination({ ...common, found }, [schemaOf(applied), ...tables]);
  }

  /** There is nothing that this may do. */
  async mend(): Promise<Mending | undefined> {
    return undefined;
  }
}

function examination(
  { schema, found }: { schema: string; found: readonly Finding[] },
  files: Examination["files"],
): Examination {
  if (found.every(({ severity }) => severity !== "damage"))
    return { sound: true, mendable: false, files, findings: found };
  const advice = `doctor changes nothing in a database. In psql, after SET search_path TO ${schema};, run what is named above or what db/migrations has; or restore a backup.`;
  return { sound: false, mendable: false, advice, files: [], findings: found };
}

function schemaOf(applied: readonly Applied[]): { path: string; holds: string } {
  return { path: "schema", holds: `version ${versionOf(applied)}` };
}

function isLoss({ path, severity }: Finding): boolean {
  return severity === "damage" && /^(?:table|column|sequence) /.test(path);
}

function notApplied(name: string): Finding {
  const problem = "it has not been applied yet: queuectl store-migrate";
  return { severity: "concern", path: `migration ${name}`, problem, jobs: [] };
}
