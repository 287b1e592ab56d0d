/**
 * `--json`: for programs. One document a command on stdout, snake_case, instants in epoch milliseconds:
 *
 *   enqueue            {"job": <job>}, with a null for one that was skipped
 *     --file, -        {"enqueued": <number>, "skipped": <number>}
 *   list, dlq-list     [<job>, ...], the same bytes as without --json into a pipe
 *   status             {"active_workers", "pending", "processing", "completed", "archived", "failed", "dead",
 *                      "workers": [<present>]}: the archived are counted among the completed
 *   cancel, retry, edit, remove, dlq-retry, dlq-remove
 *                      {"jobs": [<job or dead letter>, ...], "dry_run"}: as it is now, or was when it was removed; with
 *                      --dry-run as it would be, but of cancel as it is
 *   config-get, -set   {"<key>": <number>, ...}: all keys, or the one that was asked for or set
 *     store            {"store": "files" or "postgres://..."}
 *   show               {"job": <job>, "logs": [{"attempt", "path", "host"?}]}, or "dead_letter" instead of "job"; with
 *                      the host where the path cannot be read here
 *   logs               {"id", "attempt", "path", "host"?, "output"}: what is not UTF-8 as U+FFFD, nulls where nothing was run
 *                      or printed; with the host as above, and then the last 64 KiB
 *   worker-start       one event a line: {"event": "claimed", "worker_id", "job"}, {"event": "worker-started", ...}
 *     --detach         {"supervisor": <present>, "workers": [<present>], "log": <path>}
 *   worker-stop        {"stopped": [<present>], "unreachable": [<present>]}
 *   prune              {"archived", "logs", "bytes", "dry_run"}: the jobs that were archived; the logs removed, and their size
 *   export             the stream itself, the same bytes as without --json (cli/export-stream.ts)
 *     --output         {"exported": <tally>, "path", "sum"}
 *   import             {"imported": <tally>, "skipped": <tally>, "sum"}: what was left out because its like was there; the
 *                      sum is that of the stream
 *   doctor             {"location", "sound", "mendable", "advice"?, "files": [{"path", "holds"}], "findings": [<finding>]}
 *     --fix            {"location", "findings": [<finding>], "set_aside": <path> or null, "jobs": [{"id", "now"}]}
 *   store-migrate      {"location", "dry_run", "migrations": [{"number", "name", "sql"}]}: what was applied, or would be
 *   selftest           {"held", "seed", "jobs": {"acknowledged", "completed", "dead"}, "attempts", "struck": {"SIGKILL", ...},
 *                      "violations": [{"rule", "what"}], "ms", "evidence": <path> or null}
 *   --version          {"version", "commit", "bun"}
 *
 * where <present> is {"id", "kind", "pid", "host", "reachable", "supervisor"?, "started_at", "stopping"}, <tally> is
 * {"settings": <number>, "jobs", "dead_letters", "archived"}, and <finding> is
 * {"severity": "damage" or "concern", "path", "line"?, "problem", "jobs": [<id>]}. On stderr, a line each:
 * {"error": {"code", "message", "hint"}} with a null where there is no hint, {"warning": ...}, {"note": ...}; a bug has
 * the code E_BUG and its stack for a message.
 */
import { type QueueError, unreachable } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import { isDeadLetter, type Job } from "../job/job.ts";
import type { AttemptLog, Present } from "../store/store.ts";
import { safeJson } from "./escape.ts";
import type { LogStream, Output, View } from "./output.ts";
import { type Sink, type Sinks, writeAll } from "./sink.ts";

export class JsonOutput implements Output {
  readonly #sinks: Sinks;

  constructor(sinks: Sinks) {
    this.#sinks = sinks;
  }

  result(view: View): void {
    if (view.view === "jobs") writeAll(this.#sinks.results, jsonArray(view.jobs));
    else if (view.view === "dead-letters") writeAll(this.#sinks.results, jsonArray(view.dead));
    else this.#sinks.results.write(`${safeJson(resultDocument(view))}\n`);
  }

  async jobs(batches: AsyncIterable<readonly Job[]>): Promise<void> {
    await writeJsonArray(this.#sinks.results, batches);
  }

  async stream(log: LogStream): Promise<number> {
    const output = new Bun.ArrayBufferSink();
    for await (const chunk of log.chunks) output.write(chunk);
    const bytes = output.end() as ArrayBuffer;
    const { id, attempt, path, host } = log;
    const document = { id, attempt, path, ...(host && { host }), output: new TextDecoder().decode(bytes) };
    this.#sinks.results.write(`${safeJson(document)}\n`);
    return bytes.byteLength;
  }

  data(text: string): boolean {
    return this.#sinks.results.write(text);
  }

  event(...events: readonly WorkerEvent[]): void {
    this.#sinks.log.write(events.map((event) => `${safeJson(eventDocument(event))}\n`).join(""));
  }

  progress(): void {}

  note(sentence: string): void {
    this.#message({ note: sentence });
  }

  warn(sentence: string): void {
    this.#message({ warning: sentence });
  }

  error(error: QueueError): void {
    this.#message({
      error: { code: error.code, message: [error.message, ...error.quoted].join("\n"), hint: error.hint ?? null },
    });
  }

  bug(error: unknown): void {
    this.#message({ error: { code: "E_BUG", message: Bun.inspect(error), hint: null } });
  }

  #message(document: object): void {
    this.#sinks.messages.write(`${safeJson(document)}\n`);
  }
}

/** The documented form of `list` and `dlq-list`: an array, two-space indented, record by record. */
export function* jsonArray(records: readonly object[]): Generator<string> {
  yield* jsonRecords(records, "[\n");
  yield records.length === 0 ? "[]\n" : "\n]\n";
}

/** As `jsonArray`, of records that come batch by batch. */
export async function writeJsonArray(sink: Sink, batches: AsyncIterable<readonly object[]>): Promise<void> {
  let before = "[\n";
  for await (const batch of batches) {
    if (!writeAll(sink, jsonRecords(batch, before))) return;
    if (batch.length > 0) before = ",\n";
  }
  sink.write(before === "[\n" ? "[]\n" : "\n]\n");
}

function* jsonRecords(records: readonly object[], first: string): Generator<string> {
  let before = first;
  for (const record of records) {
    yield `${before}  ${safeJson(record, 2).replaceAll("\n", "\n  ")}`;
    before = ",\n";
  }
}

function resultDocument(view: Exclude<View, { view: "jobs" | "dead-letters" }>): object {
  switch (view.view) {
    case "enqueued":
      return { job: view.job };
    case "skipped":
      return { job: null };
    case "bulk-enqueued":
      return { enqueued: view.enqueued, skipped: view.skipped };
    case "status":
      return { active_workers: view.workers.length, ...view.counts, workers: view.workers.map(presentDocument) };
    case "altered":
      return { jobs: view.done.map(({ job }) => job), dry_run: view.dryRun };
    case "pruned":
      return { ...view.pruned, dry_run: view.dryRun };
    case "exported":
      return { exported: view.exported, path: view.path, sum: view.sum };
    case "imported":
      return { imported: view.imported.added, skipped: view.imported.skipped, sum: view.sum };
    case "config":
      return view.config;
    case "setting":
    case "setting-changed":
      return { [view.key]: view.value };
    case "store":
    case "store-changed":
      return { store: view.store };
    case "entry":
      return isDeadLetter(view.entry)
        ? { dead_letter: view.entry, logs: view.logs.map(logDocument) }
        : { job: view.entry, logs: view.logs.map(logDocument) };
    case "detached":
      return {
        supervisor: presentDocument(view.supervisor),
        workers: view.workers.map(presentDocument),
        log: view.log,
      };
    case "stopped":
      return { stopped: view.stopped.map(presentDocument), unreachable: view.unreachable.map(presentDocument) };
    case "examination":
      return { location: view.location, ...view.examination };
    case "mending":
      return {
        location: view.location,
        findings: [],
        set_aside: null,
        jobs: [],
        ...(view.mending && snakeCaseKeys(view.mending)),
      };
    case "migration":
      return { location: view.location, dry_run: view.dryRun, migrations: view.migrations };
    case "verdict":
      return { held: view.evidence === undefined, ...view.verdict, ms: view.ms, evidence: view.evidence ?? null };
    case "version":
      return { version: view.version, commit: view.commit ?? null, bun: view.bun };
    default:
      return unreachable(view);
  }
}

function logDocument({ attempt, path, elsewhere }: AttemptLog): object {
  return { attempt, path, ...(elsewhere && { host: elsewhere.host }) };
}

function presentDocument({ startedAt, ...present }: Present): object {
  return { ...present, started_at: startedAt };
}

function eventDocument(event: WorkerEvent): object {
  if (event.event !== "job") return snakeCaseKeys(event);
  const { event: name, ...what } = event.change;
  return snakeCaseKeys({ event: name, workerId: event.workerId, ...what });
}

function snakeCaseKeys(record: object): object {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
