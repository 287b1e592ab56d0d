/**
 * A transaction that is done once, although it may be asked again because the answer to its commit was lost: the server
 * remembers what became of the earlier one.
 */
import type { SQL } from "bun";
import { type Database, stateOf } from "./database.ts";

const LOOK_AGAIN_MS = 200;
export const UNIQUE_VIOLATION = "23505";

/** What `work` returned in the transaction that was committed. */
export async function transactOnce<T>(
  database: Database,
  work: (sql: SQL) => Promise<T>,
  asking: { readonly timeoutMs?: number } = {},
): Promise<T> {
  let last: { readonly transaction: string; readonly result: T } | undefined;
  return database.transact(async (sql) => {
    if (last && (await wasCommitted(sql, last.transaction))) return last.result;
    const [row] = await sql`SELECT pg_current_xact_id()::text AS transaction`;
    const result = await work(sql);
    last = { transaction: row.transaction, result };
    return result;
  }, asking);
}

/** Does it once more as long as somebody is faster with one of the ids or keys: the next try knows him. */
export async function unlessTaken<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (stateOf(error) !== UNIQUE_VIOLATION) throw error;
    }
  }
}

async function wasCommitted(sql: SQL, transaction: string): Promise<boolean> {
  for (;;) {
    const [row] = await sql`SELECT pg_xact_status(${transaction}::xid8) AS status`;
    if (row.status !== "in progress") return row.status === "committed";
    // The server does not know yet that the connection was lost.
    await Bun.sleep(LOOK_AGAIN_MS);
  }
}
