/** What is not damage and yet worth a look: rights, clocks, file systems, and what dead processes left lying. */
import { join } from "node:path";
import { QueueError } from "../../../job/errors.ts";
import type { Entry } from "../../../job/job.ts";
import { changedAt } from "../../../job/job.ts";
import type { Finding } from "../../doctor.ts";
import { namesIn } from "../../local/durable.ts";
import { isSupervisorLog, logName, logOwner } from "../../local/log-files.ts";
import { isTemporaryOfDead } from "../../local/temporary-name.ts";
import { checkEntry } from "../../local/trust.ts";
import { readArchive } from "../archive.ts";
import { Corruption } from "../corruption.ts";
import type { Layout } from "../layout.ts";
import { roster } from "../roster.ts";
import { freshBefore } from "../sign-of-life.ts";
import type { QueueState } from "../state.ts";
import { networkFileSystem } from "./file-system.ts";

/** A clock is set by a fraction of a second all the time. */
const CLOCK_TOLERANCE_MS = 1000;

/** What others may have put there: nothing is read of a directory that holds any of it. */
export function untrusted({ root, logs, workers, quarantine }: Layout): Finding[] {
  const inRoot = namesIn(root).map((name) => join(root, name));
  return [...new Set([root, ...inRoot, logs, workers, quarantine])].flatMap((path) => {
    try {
      checkEntry(path, "it");
      return [];
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return [{ severity: "damage", path, problem: `${error.message} ${error.hint ?? ""}`.trim(), jobs: [] }];
    }
  });
}

/** `now` in epoch ms. Looks at the directory and its files; changes nothing. */
export function lookAround(layout: Layout, state: QueueState, now: number): Finding[] {
  return [
    ...sharedDisk(layout),
    ...deadWorkers(layout, state, now),
    ...temporaries(layout),
    ...orphanedLogs(layout, state),
    ...lostArchives(layout, state),
    ...clockBehind(layout, state, now),
  ];
}

function sharedDisk({ root }: Layout): Finding[] {
  const name = networkFileSystem(root);
  if (name === undefined) return [];
  return [concern(root, `it is on ${name}. Use it from one machine only: appends of two are not kept apart there.`)];
}

function deadWorkers({ workers }: Layout, state: QueueState, now: number): Finding[] {
  const { alive, dead } = roster(workers, freshBefore(now));
  const living = new Set(alive.map(({ id }) => id));
  const held = new Map<string, string[]>();
  for (const { id, worker_id } of state.processing()) {
    if (!living.has(worker_id)) held.set(worker_id, [...(held.get(worker_id) ?? []), id]);
  }
  const silent = dead.filter((id) => !held.has(id));
  return [
    ...Array.from(held, ([worker, jobs]) =>
      concern(workers, `worker ${worker} is dead and held jobs; the next worker takes them back.`, jobs),
    ),
    ...silent.map((id) => concern(workers, `${id} is dead and left its file; the next worker removes it.`)),
  ];
}

function temporaries({ root, workers, logs, quarantine }: Layout): Finding[] {
  return [root, workers, logs, quarantine].flatMap((directory) =>
    namesIn(directory)
      .filter(isTemporaryOfDead)
      .map((name) =>
        concern(join(directory, name), "a process that died while it wrote this left it; nothing reads it."),
      ),
  );
}

function orphanedLogs({ logs }: Layout, state: QueueState): Finding[] {
  // Those of archived jobs stay for a while.
  if (state.standing.archive.length > 0) return [];
  const known = new Set(Array.from(entriesOf(state), ({ id }) => logName(id)));
  const orphans = namesIn(logs).filter((name) => !isSupervisorLog(name) && !known.has(logOwner(name) ?? ""));
  if (orphans.length === 0) return [];
  const [first = ""] = orphans;
  const rest = orphans.length === 1 ? "" : ` and ${orphans.length - 1} more`;
  return [concern(join(logs, first), `it${rest} belongs to no job.`)];
}

/** Reads every line that counts. */
function lostArchives({ archive }: Layout, state: QueueState): Finding[] {
  return state.standing.archive.flatMap((range) => {
    try {
      for (const _ of readArchive(archive, [range]));
      return [];
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      const [path, problem] = error instanceof Corruption ? [error.path, error.problem] : [archive, error.message];
      return [concern(path, `${problem} Its jobs go on being counted, but cannot be listed.`)];
    }
  });
}

function clockBehind({ root }: Layout, state: QueueState, now: number): Finding[] {
  const newest = Array.from(entriesOf(state)).reduce((latest, entry) => Math.max(latest, changedAt(entry)), 0);
  if (newest <= now + CLOCK_TOLERANCE_MS) return [];
  const seconds = Math.ceil((newest - now) / 1000);
  return [concern(root, `the clock is ${seconds} s behind the newest change: what is due may start so much later.`)];
}

function* entriesOf(state: QueueState): Iterable<Entry> {
  yield* state.jobs();
  yield* state.deadLetters();
}

function concern(path: string, problem: string, jobs: readonly string[] = []): Finding {
  return { severity: "concern", path, problem, jobs };
}
