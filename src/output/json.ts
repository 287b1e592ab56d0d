/**
 * `--json`, or `QUEUECTL_OUTPUT=json`: for programs. One document a command on stdout, snake_case, instants in epoch milliseconds
 * (docs/schema/documents.json is the same as a JSON Schema):
 *
 *   enqueue            {"job": <job>}, or {"job": null, "existing": <id>} for one that was skipped, because that one is there
 *     --file, -        {"enqueued": <number>, "skipped": <number>}
 *     --dry-run        the same with "dry_run": true, for a single job, too
 *   list, dlq-list     [<job>, ...], the same bytes as without --json into a pipe
 *     --columns        [{"<field>": <value>, ...}, ...]: of each job the fields that were asked for and that it has
 *   status             {"active_workers", "pending", "processing", "completed", "archived", "failed", "dead",
 *                      "workers": [<present>]}: the archived are counted among the completed
 *   cancel, retry, edit, remove, dlq-retry, dlq-remove
 *                      {"jobs": [<job or dead letter>, ...], "dry_run"}: as it is now, or was when it was removed; with
 *                      --dry-run as it would be, but of cancel as it is
 *   queue-list         {"queues": [<queue>], "all_paused": <boolean>}
 *   queue-set, pause, resume    {"queue": {"name", "concurrency", "rate", "paused"}}: what holds now; the name is null for every queue
 *   schedule-list      {"schedules": [<schedule>]}
 *   schedule-add       {"schedule": <schedule>}
 *   schedule-remove    {"removed": <name>}
 *   config-get, -set   {"<key>": <number or text>, ...}: all keys, or the one that was asked for or set; what is
 *                      secret as "(hidden)", without --reveal
 *     store            {"store": "files" or "postgres://..."}
 *     --show-origin    {"<key>": {"value", "origin": "default", "stored" or "environment", "where": <path, address or variable>
 *                      or null}, ...}, with the store among them
 *   show               {"job": <job>, "logs": [{"attempt", "lease", "stream"?: "stdout" or "stderr", "path", "host"?}]}, or
 *                      "dead_letter" instead of "job"; with the stream where there is a log for each, and with the host where
 *                      the path cannot be read here; until an attempt there has ended, the path ends in *
 *   logs               {"id", "attempt", "path", "host"?, "output", "stderr"?: {"path", "host"?, "output"}}: what is not UTF-8 as
 *                      U+FFFD, nulls where nothing was run or printed; with "stderr" where there is a log for each stream;
 *                      with the host as above, and then the last 64 KiB
 *     --stdout, --stderr   {"id", "attempt", "stream", "path", "host"?, "output"}
 *   events             one event a line, the same bytes as without --json: {"at", "event", "id", "queue", "attempt"?, "worker_id"?,
 *                      "started_at"?, "error"?, "run_at"?, "command"} (job/happening.ts)
 *   stats              {"all": <figures>, "commands": [{"command", ...<figures>}, ...]}, figures being "jobs", "runs", "failures",
 *                      "flaky", and "p50_ms" and "p95_ms", nulls where nothing was completed
 *   why                {"id", "state", "reason": <sentence>, "because": <one word of those in job/reason.ts>, ...}, with what the
 *                      sentence speaks of: "run_at", "worker_id", "ahead", ...; the state of a dead letter is "dead"
 *   worker-start       one event a line: {"event": "claimed", "worker_id", "job"}, {"event": "worker-started", ...}
 *     --detach         {"supervisor": <present>, "workers": [<present>], "log": <path>}
 *   worker-stop        {"stopped": [<present>], "unreachable": [<present>]}
 *   exec               {"job": <result>, "exit_code": <number>}; queuectl logs tells what it printed
 *   wait, run          {"how": "all_ended", "timed_out", "interrupted" or "gave_up", "ms", "completed", "failed", "open": <number> each,
 *                      "jobs": [<result>]}: what had not ended is open
 *   prune              {"archived", "logs", "bytes", "dry_run"}: the jobs that were archived; the logs removed, and their size
 *   export             the stream itself, the same bytes as without --json (cli/export-stream.ts)
 *     --output         {"exported": <tally>, "path", "sum"}
 *   import             {"imported": <tally>, "skipped": <tally>, "sum"}: what was left out because its like was there; the
 *                      sum is that of the stream
 *     --dry-run        {"checked": <tally>, "sum", "dry_run": true}
 *   doctor             {"location", "sound", "mendable", "advice"?, "files": [{"path", "holds"}], "findings": [<finding>]}
 *     --fix            {"location", "findings": [<finding>], "set_aside": <path> or null, "jobs": [{"id", "now"}]}
 *   store-migrate      {"location", "dry_run", "migrations": [{"number", "name", "sql"}]}: what was applied, or would be
 *   selftest           {"held", "seed", "jobs": {"acknowledged", "completed", "dead"}, "attempts", "struck": {"SIGKILL", ...},
 *                      "violations": [{"rule", "what"}], "ms", "evidence": <path> or null}
 *   completion         {"shell", "script"}
 *   --version          {"version", "commit", "bun"}
 *
 * where <present> is {"id", "kind", "pid", "host", "reachable", "supervisor"?, "queues"?: [<name>], "started_at",
 * "stopping"}, <tally> is
 * {"settings": <number>, "jobs", "dead_letters", "archived"},
 * <result> is {"id", "command", "state", "attempts", "error"?, "started_at"?, "ended_at"?} with a state "dead" for what is in
 * the DLQ and "removed" for what is nowhere,
 * <schedule> is {"name", "cron", "tz", "spec": <fields of its jobs>, "catch_up", "overlap", "created_at", "next_at", "last_id"?}, <queue> is
 * {"name", "pending", "waiting", "processing", "concurrency": <number> or null, "rate": "10/m" or null, "paused"}, and <finding> is
 * {"severity": "damage" or "concern", "path", "line"?, "problem", "jobs": [<id>]}. On stderr, a line each:
 * {"error": {"code", "message", "hint"}} with a null where there is no hint, {"warning": ...}, {"note": ...}; a bug has
 * the code E_BUG and its stack for a message.
 */
import type { QueueError } from "../job/errors.ts";
import type { WorkerEvent } from "../job/event.ts";
import type { Job } from "../job/job.ts";
import { documentOf, snakeCaseKeys } from "./documents.ts";
import { safeJson } from "./escape.ts";
import { jsonArray, listed, writeJsonArray } from "./json-array.ts";
import type { Listing, LogPlace, LogStream, Output, View } from "./output.ts";
import { type Sinks, writeAll } from "./sink.ts";

export class JsonOutput implements Output {
  readonly #sinks: Sinks;
  #take: ((sentence: string) => void) | undefined;

  constructor(sinks: Sinks) {
    this.#sinks = sinks;
  }

  async result(view: View): Promise<void> {
    if (view.view === "jobs") writeAll(this.#sinks.results, jsonArray(listed(view.jobs, view)));
    else if (view.view === "dead-letters") writeAll(this.#sinks.results, jsonArray(view.dead));
    else this.#sinks.results.write(`${safeJson(documentOf(view))}\n`);
  }

  async jobs(batches: AsyncIterable<readonly Job[]>, listing: Listing): Promise<void> {
    await writeJsonArray(this.#sinks.results, batches, listing);
  }

  async stream(log: LogStream): Promise<number> {
    const sinks = { stdout: new Bun.ArrayBufferSink(), stderr: new Bun.ArrayBufferSink() };
    for await (const { bytes, stream = "stdout" } of log.chunks) sinks[log.only ? "stdout" : stream].write(bytes);
    const [stdout, stderr] = [sinks.stdout.end() as ArrayBuffer, sinks.stderr.end() as ArrayBuffer];
    this.#sinks.results.write(`${safeJson(logDocument(log, { stdout, stderr }))}\n`);
    return stdout.byteLength + stderr.byteLength;
  }

  data(text: string): boolean {
    return this.#sinks.results.write(text);
  }

  event(...events: readonly WorkerEvent[]): void {
    this.#sinks.log.write(events.map((event) => `${safeJson(eventDocument(event))}\n`).join(""));
  }

  progress(): void {}

  aside(): void {}

  note(sentence: string): void {
    if (this.#take) this.#take(sentence);
    else this.#message({ note: sentence });
  }

  warn(sentence: string): void {
    if (this.#take) this.#take(sentence);
    else this.#message({ warning: sentence });
  }

  divert(take: (sentence: string) => void): Disposable {
    this.#take = take;
    return {
      [Symbol.dispose]: () => {
        this.#take = undefined;
      },
    };
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

/** To be made when all of it has been read: before, not every place is known. */
function logDocument(
  { id, attempt, places, only }: LogStream,
  { stdout, stderr }: { readonly stdout: ArrayBuffer; readonly stderr: ArrayBuffer },
): object {
  const errors = only ? undefined : places.find(({ stream }) => stream === "stderr");
  const isSplit = !only && (stderr.byteLength > 0 || places.some(({ stream }) => stream !== undefined));
  return {
    ...{ id, attempt, ...(only && { stream: only }) },
    ...outputDocument(
      places.find((place) => place !== errors),
      stdout,
    ),
    ...(isSplit && { stderr: outputDocument(errors, stderr) }),
  };
}

function outputDocument(place: LogPlace | undefined, bytes: ArrayBuffer): object {
  const { path = null, host } = place ?? {};
  return { path, ...(host && { host }), output: new TextDecoder().decode(bytes) };
}

function eventDocument(event: WorkerEvent): object {
  if (event.event !== "job") return snakeCaseKeys(event);
  const { event: name, ...what } = event.change;
  return snakeCaseKeys({ event: name, workerId: event.workerId, ...what });
}
