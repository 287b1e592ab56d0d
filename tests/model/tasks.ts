/** What a writer decides on what it knows: the rules are the real ones of a job's life. */
import { claim, enqueue, finish } from "../../src/job/lifecycle.ts";
import type { Outcome } from "../../src/job/outcome.ts";
import { type JournalRecord, recordOf } from "../../src/store/files/commit.ts";
import { type Content, contents, seqAfter } from "./chain.ts";
import type { Obeys } from "./rules.ts";
import type { Attempt, Task, World, Writer } from "./world.ts";

interface Decision {
  readonly records: readonly JournalRecord[];
  /** The attempt that begins once the commit counts. */
  readonly claims?: Attempt;
  /** The attempt that the commit ends. */
  readonly ends?: Attempt;
}

/** Time stands still: every pending job is due. */
const NOW = 0;
const POLICY = { backoff: { base: 1, maxSeconds: 0, jitter: 0 }, random: () => 0 };
const NO_CHANGE: Decision = { records: [] };

/** Without records there is nothing to do. */
export function decide(task: Task, writer: Writer, obeys: Obeys): Decision {
  const { reading } = writer;
  if (!reading) throw new Error("decided on nothing");
  const content = contents.get(reading.content);
  switch (task.do) {
    case "enqueue":
      return decideEnqueue(task, content);
    case "claim":
      return decideClaim(writer, { content, seq: seqAfter(reading.end), obeys });
    case "finish":
      return decideEnd(writer.held, { content, outcome: OUTCOMES[task.how], obeys });
    case "rescue":
      return decideEnd(writer.rescuing, { content, outcome: { kind: "worker-lost", workerId: "x" }, obeys });
    case "checkpoint":
    case "roll":
    case "install":
    case "look":
      return NO_CHANGE;
  }
}

const OUTCOMES: Record<(Task & { do: "finish" })["how"], Outcome> = {
  completed: { kind: "exited", code: 0 },
  failed: { kind: "exited", code: 1 },
  released: { kind: "released" },
};

/** An attempt of a worker that is dead. */
export function lostAttempt(world: World, { reading }: Writer): Attempt | undefined {
  const living = new Set(world.writers.filter(({ alive }) => alive).map(({ name }) => name));
  const { queue } = contents.get(reading?.content ?? 0);
  for (const job of Object.values(queue)) {
    if (job.state === "processing" && !living.has(job.worker_id)) return { id: job.id, lease: job.lease };
  }
  return undefined;
}

function decideEnqueue({ id, maxRetries = 3 }: Task & { do: "enqueue" }, { queue, dlq }: Content): Decision {
  if (queue[id] ?? dlq[id]) return NO_CHANGE;
  return { records: [recordOf("enqueued", undefined, enqueue({ id, command: "" }, maxRetries, NOW))] };
}

function decideClaim(
  { name }: Writer,
  { content, seq, obeys }: { content: Content; seq: number; obeys: Obeys },
): Decision {
  const job = Object.values(content.queue).find(({ state }) => state === "pending");
  if (job?.state !== "pending") return NO_CHANGE;
  const lease = obeys("lease is seq") ? seq : job.attempts + 1;
  const running = claim(job, { workerId: name, lease }, NOW);
  return { records: [recordOf("claimed", job, running)], claims: { id: job.id, lease } };
}

function decideEnd(
  attempt: Attempt | undefined,
  { content, outcome, obeys }: { content: Content; outcome: Outcome; obeys: Obeys },
): Decision {
  const job = attempt && content.queue[attempt.id];
  if (!attempt || !job) return NO_CHANGE;
  const current = job.state === "processing" ? job.lease : attempt.lease;
  const lease = obeys("lease gate") ? attempt.lease : current;
  const change = finish(job, { id: job.id, lease, outcome }, { now: NOW, policy: POLICY });
  if (change.event === "lease-lost") return NO_CHANGE;
  return { records: [recordOf(change.event, job, change.job)], ends: attempt };
}
