/**
 * `bulk-plainjob <new SQLite file> <count>` adds so many jobs in one transaction with plainjob's `addMany` and prints how
 * many ms that took. It has SQLite sync what it commits (`synchronous = FULL`), which plainjob by itself does not.
 */
import { Database } from "bun:sqlite";

interface Connection {
  pragma(statement: string): void;
}

interface PlainJob {
  bun(database: Database): Connection;
  defineQueue(options: { connection: Connection }): {
    addMany(type: string, data: unknown[]): { ids: number[] };
    countJobs(): number;
    close(): void;
  };
}

const [file, number] = process.argv.slice(2);
const count = Number(number);
if (file === undefined || !count) throw new Error("Usage: bulk-plainjob <file> <count>");
// By a name that the type checker does not look for: it is an extra of bench/package.json.
const { bun, defineQueue } = (await import(String("plainjob"))) as PlainJob;
const connection = bun(new Database(file, { strict: true }));
const queue = defineQueue({ connection });
connection.pragma("synchronous = FULL");

const jobs = Array.from({ length: count }, (_, i) => ({ id: `job-${i + 1}`, command: "true" }));
const start = performance.now();
queue.addMany("shell", jobs);
console.log(performance.now() - start);

const added = queue.countJobs();
if (added !== count) throw new Error(`Only ${added} of ${count} jobs were added.`);
queue.close();
