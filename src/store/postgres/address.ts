/** Where a queue in PostgreSQL is: what its URL says, and the password for it, which is never told to anyone else. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../job/errors.ts";
import { guard, guardUnless } from "../local/durable.ts";

export interface PostgresAddress {
  /** For the driver: as it was given, but for what is only for us. It may hold a password. */
  readonly url: string;
  /** For people and for jobs: without any password. */
  readonly shown: string;
  /** The schema that holds the queue. */
  readonly schema: string;
  readonly password: string | undefined;
  /** How it is encrypted, where neither the URL nor PGSSLMODE says so. */
  readonly tls: "prefer" | undefined;
  readonly host: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PROTOCOLS = ["postgres:", "postgresql:"];
const DEFAULT_SCHEMA = "queuectl";
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const SSL_FILES = ["sslrootcert", "sslcert", "sslkey"];
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]", ""];
/** Also in the home of another user, as under sudo, there is no password for us. */
const OUT_OF_REACH = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"];
/** Its channel for notifications is named after it, in 63 bytes. */
const SCHEMA = /^(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,49}$/;

/** Reads `postgres://user@host:5432/database?schema=name`. Throws `E_USAGE`. */
export function parseAddress(text: string, env: Environment): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !PROTOCOLS.includes(url.protocol)) {
    // Not repeated, for there may be a password in it.
    throw new QueueError("E_USAGE", "The address of the store is not one like postgres://user@host:5432/database.");
  }
  const schema = url.searchParams.get("schema") ?? DEFAULT_SCHEMA;
  if (!SCHEMA.test(schema)) {
    throw new QueueError("E_USAGE", `The schema must be up to 50 of a-z, 0-9 and _, got ${JSON.stringify(schema)}.`, {
      hint: "The first is no digit. What begins with pg_ belongs to PostgreSQL, and so does information_schema.",
    });
  }
  url.searchParams.delete("schema");
  checkTls(url, env);
  const saysTls = ["sslmode", "ssl", "tls"].some((name) => url.searchParams.has(name)) || env.PGSSLMODE;
  return {
    url: url.href,
    shown: shownUrl(url, schema),
    schema,
    password: url.password === "" ? (env.PGPASSWORD ?? passwordFor(url, env)) : undefined,
    tls: saysTls || LOOPBACK.includes(url.hostname) ? undefined : "prefer",
    host: url.hostname,
  };
}

/** The driver would take these for a mistake of ours. */
function checkTls({ searchParams }: URL, env: Environment): void {
  const mode = searchParams.get("sslmode") ?? env.PGSSLMODE;
  if (mode && !SSL_MODES.includes(mode)) {
    throw new QueueError("E_USAGE", `The sslmode must be one of ${SSL_MODES.join(", ")}, got ${JSON.stringify(mode)}.`);
  }
  for (const name of SSL_FILES) {
    const path = searchParams.get(name);
    if (path === null || isPem(path)) continue;
    throw new QueueError("E_USAGE", `The file that ${name} names is none in PEM format: ${JSON.stringify(path)}.`);
  }
}

function isPem(path: string): boolean {
  try {
    return readFileSync(path, "utf8").includes("-----BEGIN ");
  } catch {
    return false;
  }
}

function shownUrl(url: URL, schema: string): string {
  const shown = new URL(url);
  shown.password = "";
  for (const name of ["password", "sslpassword"]) shown.searchParams.delete(name);
  if (schema !== DEFAULT_SCHEMA) shown.searchParams.set("schema", schema);
  return shown.href;
}

/**
 * What `.pgpass` says, by the rules of libpq: the first line that fits, and only of a file that is closed to others. It may
 * be a link, as every file is that Kubernetes mounts of a secret.
 */
function passwordFor(url: URL, env: Environment): string | undefined {
  const path = env.PGPASSFILE ?? (env.HOME === undefined ? undefined : join(env.HOME, ".pgpass"));
  if (path === undefined) return undefined;
  const stat = guardUnless(OUT_OF_REACH, { verb: "read", path }, () => statSync(path));
  if (!stat?.isFile()) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    throw new QueueError("E_USAGE", `The password file ${path} may be read by others.`, { hint: `chmod 0600 ${path}` });
  }
  const user = decodeURIComponent(url.username) || env.PGUSER || env.USER || "";
  const database = decodeURIComponent(url.pathname.slice(1)) || env.PGDATABASE || user;
  const wanted = [url.hostname || "localhost", url.port || env.PGPORT || "5432", database, user];
  for (const line of guard("read", path, () => readFileSync(path, "utf8")).split("\n")) {
    if (line.startsWith("#")) continue;
    const [password, ...fields] = fieldsOf(line).reverse();
    const fits = fields.length === 4 && fields.reverse().every((field, n) => field === "*" || field === wanted[n]);
    if (fits) return password;
  }
  return undefined;
}

/** Fields are parted by colons; a backslash takes the next character as it is. */
function fieldsOf(line: string): string[] {
  const fields = [""];
  for (const [, escaped, character = ""] of line.matchAll(/\\(.)|(.)/g)) {
    if (character === ":") fields.push("");
    else fields.push(`${fields.pop() ?? ""}${escaped ?? character}`);
  }
  return fields;
}
