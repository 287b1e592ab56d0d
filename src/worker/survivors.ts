/**
 * Finds and ends what is left of an attempt. Every process of a job inherits, whatever it forks and whatever session it
 * moves to, an environment with the attempt's lease; that is what it is known by (Jenkins finds the processes of a build
 * so). A process that wants to outlive its job unsets `QUEUECTL_LEASE` and leaves the group.
 *
 * The invariant that rescue and retry rely on (never two attempts of one job at a time): `endSurvivors` reports none left
 * only after two looks in a row found none.
 */
import { readdirSync, readFileSync } from "node:fs";
import { pretendedMachine } from "../failpoint.ts";
import type { Lease } from "../job/job.ts";
import { pause } from "./pause.ts";

/** The attempt whose processes are meant; a lease is unique only within its store. */
export interface AttemptMark {
  readonly store: Readonly<Record<string, string>>;
  readonly workerId: string;
  readonly lease: Lease;
}

/** What of a process's environment tells that it belongs to this attempt. */
export function markOf(attempt: AttemptMark): Record<string, string> {
  const machine = pretendedMachine();
  return {
    ...(machine === undefined ? {} : { QUEUECTL_MACHINE: machine }),
    QUEUECTL_LEASE: String(attempt.lease),
    QUEUECTL_WORKER_ID: attempt.workerId,
    ...attempt.store,
  };
}

/**
 * The living processes of an attempt, but for this one; with `group`, also the members of that process group. A zombie is
 * not alive.
 */
export function findSurvivors(attempt: AttemptMark, group?: number): number[] {
  return processesWith(markOf(attempt), group);
}

/** As `findSurvivors`, by any variables of the environment. */
export function processesWith(environment: Readonly<Record<string, string>>, group?: number): number[] {
  const entries = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const found = process.platform === "linux" ? findInProc(entries, group) : findWithPs(entries, group);
  return found.filter((pid) => pid !== process.pid);
}

/**
 * Asks them to end by TERM, and once `grace` has aborted kills them, until none is left or `patience` aborts (a process
 * stuck in the kernel cannot be killed). `count` processes were found, `left` of them live.
 */
export async function endSurvivors(
  attempt: AttemptMark,
  options: { grace: AbortSignal; patience?: AbortSignal; group?: number },
): Promise<{ count: number; left: number }> {
  const { grace, patience, group } = options;
  const met = new Set<number>();
  for (let pauseMs = 5, calm = 0; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    const living = findSurvivors(attempt, group);
    // One look can miss the child of a process that forked and ended while the others were being looked at.
    calm = living.length === 0 ? calm + 1 : 0;
    if (calm === 2 || (calm === 0 && patience?.aborted)) return { count: met.size, left: living.length };
    for (const pid of living) {
      if (grace.aborted) signal(pid, "SIGKILL");
      else if (!met.has(pid)) signal(pid, "SIGTERM");
      met.add(pid);
    }
    await pause(calm === 0 ? pauseMs : 5, grace.aborted ? undefined : grace);
  }
}

/** Whether a process group has members; zombies count, so true does not say that anything lives. */
export function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function findInProc(entries: readonly string[], group: number | undefined): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const needles = entries.map((entry) => `\0${Buffer.from(entry).toString("latin1")}\0`);
  // False for almost every attempt, which saves reading the state of every process.
  const withGroup = group !== undefined && groupExists(group);
  return pids
    .filter((pid) => {
      // A zombie, a kernel thread and a process of another user show no environment.
      const environment = `\0${read(`/proc/${pid}/environ`)}`;
      return needles.every((needle) => environment.includes(needle)) || (withGroup && isInGroup(pid, group));
    })
    .map(Number);
}

/** Bytes as latin1, one character each, so that no environment is too broken to be compared. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function isInGroup(pid: string, group: number): boolean {
  // "4711 (name) S 1 4711 …": a name may contain anything, even parentheses.
  const stat = read(`/proc/${pid}/stat`);
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(pgrp) === group && state !== "Z" && state !== "X";
}

/** macOS: `ps -E` shows the environment behind the command, of our own processes only and not of Apple's programs. */
function findWithPs(entries: readonly string[], group: number | undefined): number[] {
  const { stdout } = Bun.spawnSync(["/bin/ps", "-E", "-ax", "-ww", "-o", "pid=,pgid=,stat=,command="]);
  return stdout
    .toString()
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line))
    .filter((match) => match !== null)
    .filter(([, , pgid, state, command]) => {
      const marked = entries.every((entry) => `${command} `.includes(` ${entry} `));
      return !state?.startsWith("Z") && (marked || Number(pgid) === group);
    })
    .map(([, pid]) => Number(pid));
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile, or is another user's (a job that used sudo): the next look tells.
  }
}
