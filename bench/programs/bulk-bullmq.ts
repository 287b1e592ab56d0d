/**
 * `bulk-bullmq <port of a Redis> <count>` adds so many jobs with BullMQ's `addBulk` and prints how many ms that took. Not
 * all in one call: of 10,000 at a time it is as fast as of any number, and a million in one would not fit into its memory.
 */
const JOBS_A_CALL = 10_000;

interface BullMq {
  readonly Queue: new (
    name: string,
    options: { connection: { host: string; port: number } },
  ) => {
    waitUntilReady(): Promise<unknown>;
    addBulk(jobs: { name: string; data: unknown; opts: { jobId: string } }[]): Promise<unknown[]>;
    getWaitingCount(): Promise<number>;
    close(): Promise<void>;
  };
}

const [port, count] = process.argv.slice(2).map(Number);
if (!port || !count) throw new Error("Usage: bulk-bullmq <port> <count>");
// By a name that the type checker does not look for: it is an extra of bench/package.json.
const { Queue } = (await import(String("bullmq"))) as BullMq;
const queue = new Queue("bench", { connection: { host: "127.0.0.1", port } });
await queue.waitUntilReady();

const jobs = Array.from({ length: count }, (_, i) => ({
  name: "shell",
  data: { command: "true" },
  opts: { jobId: `job-${i + 1}` },
}));
const start = performance.now();
for (let added = 0; added < count; added += JOBS_A_CALL) await queue.addBulk(jobs.slice(added, added + JOBS_A_CALL));
console.log(performance.now() - start);

const waiting = await queue.getWaitingCount();
if (waiting !== count) throw new Error(`Only ${waiting} of ${count} jobs are waiting.`);
await queue.close();
