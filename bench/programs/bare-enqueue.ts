/**
 * `bare-enqueue <data directory>`: the calls to the system that a durable `enqueue` into a small queue at rest cannot do
 * without, in its order and with as many bytes (src/store/files/checkpoint.ts tells what each is for), and nothing else.
 * It understands none of what it reads, asks of no file whom it belongs to, and what it writes is blank: nobody can load
 * the queue any more.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("Usage: bare-enqueue <data directory>");

/** As long as what one job `true` adds to `queue.json`, and as its commit in the journal. */
const ENTRY = Buffer.from(`${" ".repeat(161)}\n`);
const COMMIT = Buffer.from(`${" ".repeat(347)}\n`);

const queue = readFileSync(`${directory}/queue.json`);
readFileSync(`${directory}/dlq.json`);
const [, generation] = /"generation":(\d+)/.exec(queue.toString("latin1", 0, 64)) ?? [];
const journal = openSync(`${directory}/journal.${generation}.jsonl`, constants.O_RDWR | constants.O_APPEND);

const lock = `${directory}/workers/writer.lock`;
symlinkSync(String(process.pid), lock);
// Has anybody committed since? Does a worker live, which would write the snapshot in its own time?
const end = fstatSync(journal).size;
readdirSync(`${directory}/workers`);

const temporary = `${directory}/queue.json.tmp-${process.pid}`;
const snapshot = openSync(temporary, "wx", 0o600);
writeSync(snapshot, Buffer.concat([queue, ENTRY]));
fsyncSync(snapshot);
closeSync(snapshot);

writeSync(journal, COMMIT);
// Does it stand where it was meant to?
readSync(journal, Buffer.allocUnsafe(COMMIT.length), 0, COMMIT.length, end);
fdatasyncSync(journal);

// Are there snapshots of others, which are void by now?
readdirSync(directory);
renameSync(temporary, `${directory}/queue.json`);
unlinkSync(lock);
closeSync(journal);
console.log("Enqueued");
