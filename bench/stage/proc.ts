/** What Linux tells of a process, in `/proc`. */
import { existsSync, readFileSync } from "node:fs";

export const HAS_PROC = existsSync("/proc/self/io");
export const WITHOUT_PROC = "there is no /proc here to read it from";

/** Of `/proc/<pid>/stat`: a clock tick is 10 ms for programs on every Linux. */
const MS_A_TICK = 10;
const KIB_A_MIB = 1024;

/** Processor time so far, in its own code and in the kernel's. */
export function processorMs(pid: number): number {
  // The name of the program, in brackets, may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const [utime, stime] = fields.slice(11, 13).map(Number);
  return ((utime ?? Number.NaN) + (stime ?? Number.NaN)) * MS_A_TICK;
}

/** In MiB: what it has in memory now, and at most so far. Pages that it shares with others count in full. */
export function memory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / KIB_A_MIB;
  return { now: mib("VmRSS"), peak: mib("VmHWM") };
}

/** In bytes: what it asked to be written, to files and pipes alike, and what it had the disk write, in whole pages. */
export function written(pid: number): { readonly asked: number; readonly toDisk: number } {
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  const bytes = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(io)?.[1]);
  return { asked: bytes("wchar"), toDisk: bytes("write_bytes") - bytes("cancelled_write_bytes") };
}
