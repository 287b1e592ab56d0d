import { join } from "node:path";
import { openPostgres } from "../../src/store/postgres/open.ts";
import type { Store } from "../../src/store/store.ts";
import { dropSchema, freshSchema } from "../support/postgres.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type OpenOptions, storeContract } from "./contract.ts";

const root = temporaryDirectory();
/** The URL of each store, by what it calls its place. */
const urls = new Map<string, string>();

storeContract("PostgreSQL", {
  open: async (options) => openAt(await freshSchema(), options),
  reopen: async (store, options) => openAt(urls.get(store.location) ?? "", options),
  kill: async (store, workerId) => {
    // A process of the same pid that started at another time: the announced one is dead, and its pid given out again.
    const url = new URL(urls.get(store.location) ?? "");
    url.searchParams.set("search_path", schemaOf(url.href));
    url.searchParams.delete("schema");
    await using sql = new Bun.SQL(url.href, { max: 1 });
    await sql`UPDATE presence SET start = '0' WHERE id = ${workerId}`;
  },
  logDirectory: () => root.path,
  dispose: async () => {
    root[Symbol.dispose]();
    for (const url of urls.values()) await dropSchema(url);
  },
});

async function openAt(url: string, { now, random, overrides = {} }: OpenOptions): Promise<Store> {
  const store = await openPostgres({
    url,
    env: {},
    dataDirectory: join(root.path, schemaOf(url)),
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

function schemaOf(url: string): string {
  return new URL(url).searchParams.get("schema") ?? "";
}
