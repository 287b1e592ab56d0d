/**
 * Whether the rows of a queue are sound: each for itself, and against the numbers that are given out and counted. They are
 * read in batches while others work, so what is held against each other is read in an order in which work does no harm.
 */
import { hasDeadLetterShape, isJob } from "../../../job/shape.ts";
import type { Finding } from "../../doctor.ts";
import type { Database } from "../database.ts";
import { completedOf, entryOf, type JobRow } from "../row.ts";

export interface Contents {
  readonly tables: readonly { readonly path: string; readonly holds: string }[];
  readonly findings: readonly Finding[];
}

const ROWS_A_BATCH = 2000;
/** A clock that was set, or a machine's own, may have been ahead by so much. */
const AHEAD_MS = 60_000;

/** Reads everything. */
export async function examineContents(database: Database): Promise<Contents> {
  const jobs = await readJobs(database);
  const archive = await readArchive(database);
  const findings = [
    ...jobs.findings,
    ...archive.findings,
    ...(await examineQueue(database)),
    ...(await namelessQueues(database)),
    // After the rows: what is given out meanwhile is above what was read.
    ...(await examineSequences(database, { leases: jobs.highestLease, places: jobs.highestPlace })),
  ];
  const { entries, dead } = jobs;
  const tables = [
    { path: "jobs", holds: `${count(entries, "job")}, ${count(dead, "dead letter")}` },
    { path: "archive", holds: count(archive.rows, "completed job") },
  ];
  return { tables, findings };
}

interface JobsRead {
  readonly findings: Finding[];
  entries: number;
  dead: number;
  highestLease: number;
  highestPlace: number;
}

async function readJobs(database: Database): Promise<JobsRead> {
  const read: JobsRead = { findings: [], entries: 0, dead: 0, highestLease: 0, highestPlace: 0 };
  const holders = new Map<number, string>();
  for (let last = ""; ; ) {
    const rows: (JobRow & { due: boolean; ahead_ms: number })[] = await database.ask(
      (sql) => sql`
        SELECT *, run_at - extract(epoch FROM clock_timestamp())::float8 * 1000 AS ahead_ms
        FROM jobs WHERE id > ${last} ORDER BY id LIMIT ${ROWS_A_BATCH}`,
    );
    if (rows.length === 0) return read;
    for (const row of rows) {
      const problem = whatIsWrong(row) ?? sharesLease(row, holders);
      if (problem) read.findings.push({ severity: "damage", path: "jobs", problem, jobs: [row.id] });
      else if (row.due && row.ahead_ms > AHEAD_MS) read.findings.push(early(row));
      if (row.state === "dead") read.dead += 1;
      else read.entries += 1;
      read.highestLease = Math.max(read.highestLease, Number(row.lease));
      read.highestPlace = Math.max(read.highestPlace, Number(row.place));
    }
    last = rows.at(-1)?.id ?? last;
  }
}

function whatIsWrong(row: JobRow & { due: boolean }): string | undefined {
  const isStarted = row.processing_started_at !== null && row.worker_id !== null;
  const needsStart = row.state === "processing" || row.state === "completed";
  const isHeld = row.state !== "processing" || row.lease !== null;
  if ((needsStart && !isStarted) || !isHeld || !isSound(row)) return `it is no sound ${row.state} job.`;
  if (row.due && row.state !== "pending") return `it is ${row.state} and marked as due, so it would be claimed.`;
  return undefined;
}

function isSound(row: JobRow): boolean {
  const entry = entryOf(row);
  return "state" in entry ? isJob(entry) : hasDeadLetterShape(entry);
}

function sharesLease({ id, state, lease }: JobRow, holders: Map<number, string>): string | undefined {
  if (state !== "processing") return undefined;
  const other = holders.get(Number(lease));
  holders.set(Number(lease), id);
  return other === undefined ? undefined : `it is processing under lease ${lease}, and so is ${other}.`;
}

function early({ id }: JobRow): Finding {
  return { severity: "concern", path: "jobs", problem: "it is marked as due before its time.", jobs: [id] };
}

/** Rows are only ever added, one mover at a time, and counted as they are: so far, all places up to one are there. */
async function readArchive(database: Database): Promise<{ rows: number; findings: Finding[] }> {
  const findings: Finding[] = [];
  const [{ archived, until }] = await database.ask(
    (sql) => sql`SELECT coalesce(sum(archived), 0) AS archived, (SELECT max(place) FROM archive) AS until FROM queue`,
  );
  let count = 0;
  for (let last = "0"; until !== null; ) {
    const rows: (JobRow & { place: string })[] = await database.ask(
      (sql) => sql`
        SELECT * FROM archive WHERE place > ${last} AND place <= ${until} ORDER BY place LIMIT ${ROWS_A_BATCH}`,
    );
    if (rows.length === 0) break;
    for (const row of rows) {
      const isWhole = row.processing_started_at !== null && row.worker_id !== null && isJob(completedOf(row));
      if (!isWhole)
        findings.push({ severity: "damage", path: "archive", problem: "it is no completed job.", jobs: [row.id] });
    }
    count += rows.length;
    last = rows.at(-1)?.place ?? last;
  }
  return { rows: count, findings: [...findings, ...miscounted(count, Number(archived))] };
}

/** Whoever clears the archive out may have left the count as it was. */
function miscounted(there: number, counted: number): Finding[] {
  if (there === counted) return [];
  const mend = `Where that is meant: UPDATE queue SET archived = ${there};`;
  const problem = `it holds ${count(there, "job")}; queue.archived says ${counted}. ${mend}`;
  return [{ severity: "concern", path: "archive", problem, jobs: [] }];
}

async function examineQueue(database: Database): Promise<Finding[]> {
  const [{ rows }] = await database.ask((sql) => sql`SELECT count(*)::int AS rows FROM queue`);
  if (rows === 1) return [];
  const problem = `it has ${count(rows, "row")} instead of one. Without one: INSERT INTO queue DEFAULT VALUES;`;
  return [{ severity: "damage", path: "queue", problem, jobs: [] }];
}

/** Claims look only at queues that are named. */
async function namelessQueues(database: Database): Promise<Finding[]> {
  const rows: { queue: string; ids: string[] }[] = await database.ask(
    (sql) => sql`
      SELECT queue, array_agg(id ORDER BY id) AS ids FROM jobs j
      WHERE state = 'pending' AND NOT EXISTS (SELECT FROM queues WHERE name = j.queue) GROUP BY queue ORDER BY queue`,
  );
  return rows.map(({ queue, ids }) => ({
    severity: "damage",
    path: "queues",
    problem: `it does not name ${queue}, so no job there is ever claimed. INSERT INTO queues (name) VALUES ('${queue}');`,
    jobs: ids,
  }));
}

/** A number behind one that was given out would be given out a second time. So it may be after a restore in parts. */
async function examineSequences(
  database: Database,
  highest: { readonly leases: number; readonly places: number },
): Promise<Finding[]> {
  const [row] = await database.ask(
    (sql) => sql`
      SELECT (SELECT max(lease) FROM output) AS output_lease, (SELECT max(place) FROM archive) AS archive_place,
        (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM leases) AS leases,
        (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM places) AS places,
        pg_sequence_last_value(pg_get_serial_sequence('archive', 'place')::regclass) AS archive`,
  );
  const leases = Math.max(highest.leases, Number(row.output_lease));
  return [
    ...behind("leases", { given: Number(row.leases), highest: leases, next: "the lease of a running attempt" }),
    ...behind("places", { given: Number(row.places), highest: highest.places, next: "the place of a job" }),
    ...behind("archive_place_seq", {
      given: Number(row.archive),
      highest: Number(row.archive_place),
      next: "a place in the archive",
    }),
  ];
}

function behind(
  sequence: string,
  { given, highest, next }: { given: number; highest: number; next: string },
): Finding[] {
  if (given >= highest) return [];
  const mend = `Stop all workers, then: SELECT setval('${sequence}', ${highest});`;
  const problem = `it stands at ${given}, and ${highest} has been given out: ${next} may be given out twice. ${mend}`;
  return [{ severity: "damage", path: `sequence ${sequence}`, problem, jobs: [] }];
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
