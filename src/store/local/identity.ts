/**
 * Which process is it, and does it still run? A pid alone is no identity: it is given out again. A process is known by
 * its pid together with its start time, within one boot of one machine and one pid namespace (a container has its own).
 * Elsewhere nothing can be said from here, and the caller needs another sign of life.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { pretendedMachine } from "../../failpoint.ts";

/** Where pids mean the same: host, boot and pid namespace. */
interface Realm {
  readonly host: string;
  readonly boot: string;
  readonly pidns: string;
}

export interface ProcessIdentity extends Realm {
  readonly pid: number;
  /** Start time as the system tells it: clock ticks since boot on Linux, a date elsewhere. Only compared. */
  readonly start: string;
}

/** This process. */
export function self(): ProcessIdentity {
  ownIdentity ??= { pid: process.pid, start: startTime(process.pid) ?? "unknown", ...ownRealm() };
  return ownIdentity;
}

/** Does the process run? `undefined` when it lives where this process cannot look. */
export function isRunning(process: ProcessIdentity): boolean | undefined {
  const here = self();
  if (process.host !== here.host || process.pidns !== here.pidns) return undefined;
  if (process.boot !== here.boot) return false;
  return startTime(process.pid) === process.start;
}

/**
 * This process in one word, short enough to be kept in a symbolic link itself (60 bytes on ext4): what the holder of a
 * lock leaves in it.
 */
export function ownMark(): string {
  const { pid, start } = self();
  mark ??= `${pid}~${start}~${realmMark()}`;
  return mark;
}

/** Whether a mark is that of a process that ran here and is dead. Of a mark from elsewhere nothing can be said: false. */
export function isMarkOfDead(text: string): boolean {
  const [pid, start, realm] = text.split("~");
  return realm === realmMark() && startTime(Number(pid)) !== start;
}

let mark: string | undefined;
let ownIdentity: ProcessIdentity | undefined;

function realmMark(): string {
  const { host, boot, pidns } = self();
  return Bun.hash.xxHash64(`${host}~${boot}~${pidns}`).toString(16);
}

function ownRealm(): Realm {
  const pretended = pretendedMachine();
  if (pretended !== undefined) return { host: pretended, boot: pretended, pidns: pretended };
  if (process.platform !== "linux") {
    // One program for both: each line is one answer.
    const [host = "unknown", boot = "unknown"] =
      output(["sysctl", "-n", "kern.hostname", "kern.boottime"])?.split("\n") ?? [];
    return { host, boot, pidns: "none" };
  }
  return {
    host: readFileSync("/proc/sys/kernel/hostname", "utf8").trim(),
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    pidns: readlinkSync("/proc/self/ns/pid"),
  };
}

/** Undefined when no such process exists, or when it is only a corpse that its parent has not collected. */
function startTime(pid: number): string | undefined {
  if (process.platform !== "linux") return output(["ps", "-o", "lstart=", "-p", String(pid)]);
  try {
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function output(command: string[]): string | undefined {
  const { success, stdout } = Bun.spawnSync(command, { stderr: "ignore" });
  return success ? stdout.toString().trim() || undefined : undefined;
}
