/** The document that `--json` prints of each view (json.ts says what is in them). */
import { isDeadLetter } from "../job/job.ts";
import { EVERY_QUEUE, type QueueRule, type QueueStatus } from "../job/queue.ts";
import type { AttemptLog } from "../store/attempt-log.ts";
import type { Present } from "../store/present.ts";
import { outcomeDocument } from "./outcome-view.ts";
import type { View } from "./output.ts";
import { reasonText } from "./reason-view.ts";

/** Lists of records are printed record by record, and have no document. */
export type DocumentView = Exclude<View, { view: "jobs" | "dead-letters" }>;

type Documents = { readonly [Kind in DocumentView["view"]]: (view: Extract<DocumentView, { view: Kind }>) => object };

const DOCUMENTS: Documents = {
  enqueued: (view) => ({ job: view.job }),
  skipped: (view) => ({ job: null, existing: view.id }),
  "bulk-enqueued": (view) => ({
    enqueued: view.enqueued,
    skipped: view.skipped,
    ...(view.dryRun && { dry_run: true }),
  }),
  status: (view) => ({
    active_workers: view.workers.length,
    ...view.counts,
    workers: view.workers.map(presentDocument),
  }),
  queues: (view) => queuesDocument(view.queues),
  "queue-changed": (view) => ({
    queue: { name: view.name === EVERY_QUEUE ? null : view.name, ...ruleDocument(view.rule) },
  }),
  schedules: (view) => ({ schedules: view.schedules }),
  "schedule-added": (view) => ({ schedule: view.schedule }),
  "schedule-removed": (view) => ({ removed: view.name }),
  altered: (view) => ({ jobs: view.done.map(({ job }) => job), dry_run: view.dryRun }),
  pruned: (view) => ({ ...view.pruned, dry_run: view.dryRun }),
  exported: (view) => ({ exported: view.exported, path: view.path, sum: view.sum }),
  "import-checked": (view) => ({ checked: view.checked, sum: view.sum, dry_run: true }),
  imported: (view) => ({ imported: view.imported.added, skipped: view.imported.skipped, sum: view.sum }),
  config: (view) => view.config,
  setting: (view) => ({ [view.key]: view.value }),
  "setting-changed": (view) => ({ [view.key]: view.value }),
  store: (view) => ({ store: view.store }),
  "store-changed": (view) => ({ store: view.store }),
  origins: (view) =>
    Object.fromEntries(view.settings.map(({ key, value, origin, where }) => [key, { value, origin, where }])),
  entry: (view) =>
    isDeadLetter(view.entry)
      ? { dead_letter: view.entry, logs: view.logs.map(logDocument) }
      : { job: view.entry, logs: view.logs.map(logDocument) },
  executed: (view) => ({ job: view.result, exit_code: view.exitCode }),
  outcome: (view) => outcomeDocument(view),
  stats: (view) => view.stats,
  why: (view) => whyDocument(view),
  detached: (view) => ({
    supervisor: presentDocument(view.supervisor),
    workers: view.workers.map(presentDocument),
    log: view.log,
  }),
  stopped: (view) => ({
    stopped: view.stopped.map(presentDocument),
    unreachable: view.unreachable.map(presentDocument),
  }),
  examination: (view) => ({ location: view.location, ...view.examination }),
  mending: (view) => mendingDocument(view),
  migration: (view) => ({ location: view.location, dry_run: view.dryRun, migrations: view.migrations }),
  verdict: (view) => ({
    held: view.evidence === undefined,
    ...view.verdict,
    ms: view.ms,
    evidence: view.evidence ?? null,
  }),
  completion: (view) => ({ shell: view.shell, script: view.script }),
  version: (view) => ({ version: view.version, commit: view.commit ?? null, bun: view.bun }),
};

export function documentOf(view: DocumentView): object {
  const document = DOCUMENTS[view.view] as (view: DocumentView) => object;
  return document(view);
}

export function snakeCaseKeys(record: object): object {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function whyDocument({ entry, reason, now }: Extract<View, { view: "why" }>): object {
  const state = isDeadLetter(entry) ? "dead" : entry.state;
  return { id: entry.id, state, reason: reasonText(reason, now), ...snakeCaseKeys(reason) };
}

function logDocument({ attempt, lease, stream, path, elsewhere }: AttemptLog): object {
  return { attempt, lease, ...(stream && { stream }), path, ...(elsewhere && { host: elsewhere.host }) };
}

function queuesDocument(queues: readonly QueueStatus[]): object {
  return {
    queues: queues
      .filter(({ name }) => name !== EVERY_QUEUE)
      .map(({ begun: _, ...queue }) => ({ ...queue, ...ruleDocument(queue) })),
    all_paused: queues.some(({ name }) => name === EVERY_QUEUE),
  };
}

function mendingDocument({ location, mending }: Extract<View, { view: "mending" }>): object {
  return { location, findings: [], set_aside: null, jobs: [], ...(mending && snakeCaseKeys(mending)) };
}

function ruleDocument({ concurrency, rate, paused = false }: QueueRule): object {
  return { concurrency: concurrency ?? null, rate: rate ?? null, paused };
}

function presentDocument({ startedAt, ...present }: Present): object {
  return { ...present, started_at: startedAt };
}
