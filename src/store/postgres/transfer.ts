/** Everything out of a schema, as of one snapshot, a batch at a time; and into one, in one transaction. */
import type { SQL } from "bun";
import { QueueError } from "../../job/errors.ts";
import { portableArchived, portableDeadLetter, portableJob } from "../../job/portable.ts";
import type { Item, Restored } from "../item.ts";
import { queueItems, refuseUnlessEmpty, scheduleItems, settingItems } from "../transfer.ts";
import { type Database, stateOf } from "./database.ts";
import { transactOnce } from "./once.ts";
import { selectSchedules } from "./postgres-schedules.ts";
import { selectRules } from "./queues.ts";
import { fetchAll, readCounts } from "./reading.ts";
import { Restoration, type Terms } from "./restoration.ts";
import { type ArchivedRow, completedOf, deadLetterOf, type JobRow, jobOf } from "./row.ts";
import { selectSettings } from "./settings.ts";

/** Whoever reads what is given away may take his time. */
const A_DAY_MS = 86_400_000;
const UNIQUE_VIOLATION = "23505";
/** How often somebody may enqueue an id between the question whether it is taken and the answer's use. */
const MOST_COLLISIONS = 10;
/** Throws `E_STORE_IO` when the connection is lost after something was given away. */
export async function dump(database: Database, take: (items: readonly Item[]) => Promise<boolean>): Promise<void> {
  let hasBegun = false;
  const give = async (items: readonly Item[]): Promise<boolean> => {
    hasBegun = true;
    return take(items);
  };
  const work = async (sql: SQL): Promise<void> => {
    if (hasBegun) throw new QueueError("E_STORE_IO", "The connection was lost on the way.", { hint: "Do it again." });
    await sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`;
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`;
    for (const select of SELECTIONS) if (!(await select(sql, give))) return;
  };
  await database.transact(work, { timeoutMs: A_DAY_MS });
}

type Give = (items: readonly Item[]) => Promise<boolean>;

const SELECTIONS: readonly ((sql: SQL, give: Give) => Promise<boolean>)[] = [
  async (sql, give) => give([...settingItems(await selectSettings(sql)), ...queueItems(await selectRules(sql))]),
  async (sql, give) => give(scheduleItems(await selectSchedules(sql))),
  async (sql, give) =>
    fetchAll(sql, "SELECT * FROM jobs WHERE state <> 'dead' ORDER BY place", (rows: JobRow[]) =>
      give(rows.map((row) => ({ job: portableJob(jobOf(row)) }))),
    ),
  async (sql, give) =>
    fetchAll(sql, "SELECT * FROM jobs WHERE state = 'dead' ORDER BY place", (rows: JobRow[]) =>
      give(rows.map((row) => ({ dead_letter: portableDeadLetter(deadLetterOf(row)) }))),
    ),
  async (sql, give) =>
    fetchAll(sql, "SELECT * FROM archive ORDER BY place", (rows: ArchivedRow[]) =>
      give(rows.map((row) => ({ archived: portableArchived(completedOf(row)) }))),
    ),
];

/** All or nothing. */
export async function restore(
  database: Database,
  read: () => AsyncIterable<readonly Item[]>,
  terms: Terms,
): Promise<Restored> {
  const work = async (sql: SQL): Promise<Restored> => {
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`;
    return new Restoration(sql, terms).run(read());
  };
  for (let collisions = 0; ; collisions++) {
    if (terms.existing === "refuse") refuseUnlessEmpty(database, await readCounts(database));
    try {
      return await transactOnce(database, work, { timeoutMs: A_DAY_MS });
    } catch (error) {
      if (stateOf(error) !== UNIQUE_VIOLATION || collisions === MOST_COLLISIONS) throw error;
    }
  }
}
