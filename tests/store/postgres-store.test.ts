import { join } from "node:path";
import { openPostgres } from "../../src/store/postgres/open.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type OpenOptions, storeContract } from "./contract.ts";
import { SQL } from "bun";

const root = temporaryDirectory();
const BASE="postgres://queue:secret@127.0.0.1:54999/postgres";
let stores = 0;
const urls = new Map<string, string>();
const sql = new SQL(BASE,{max:1});

storeContract("PostgreSQL", {
  open: async (options) => openAt(`${BASE}?schema=t${process.pid}_${stores++}`, options),
  reopen: async (store, options) => openAt(urls.get(store.location) ?? "", options),
  kill: async (store, workerId) => {
    const schema = new URL(store.location).searchParams.get("schema") ?? "";
    await sql`UPDATE ${sql(schema)}.presence SET start = '0' WHERE id = ${workerId}`;
  },
  logDirectory: () => root.path,
  dispose: async () => {
    root[Symbol.dispose]();
    await sql.close();
  },
});

async function openAt(url: string, { now, random, overrides = {} }: OpenOptions): Promise<Store> {
  const store = await openPostgres({
    url,
    env: {},
    dataDirectory: join(root.path, new URL(url).searchParams.get("schema") ?? ""),
    found: "in the environment",
    clock: "own",
    now,
    random,
    elapsed: () => performance.now(),
    overrides,
    warn: (sentence) => {
      throw new Error(`unexpected warning: ${sentence}`);
    },
  });
  urls.set(store.location, url);
  return store;
}
