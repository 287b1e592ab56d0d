/**
 * What jobs write down about themselves while they are being tortured, independent of everything the queue believes: each
 * attempt a `start`, while it lives a `beat` now and then, and when it comes to its end an `end`. Every line is one append
 * to one file, so the file is the order in which things happened, and no clock is needed to see that two attempts of a job
 * overlapped: the earlier one wrote something after the later one began.
 */
import { shellWord } from "../job/shell-word.ts";

export interface LedgerLine {
  readonly what: "start" | "beat" | "end";
  readonly job: string;
  readonly attempt: number;
  readonly lease: number;
  readonly pid: number;
  /** Seconds since boot, where the system tells; for people who read the file. */
  readonly at: string;
}

export const JOB_KINDS = ["succeeds", "fails", "recovers", "takes-long", "ignores-term", "forks", "escapes"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** The kinds that end in the DLQ, however often they are tried. */
export const HOPELESS: ReadonlySet<JobKind> = new Set<JobKind>(["fails", "forks", "escapes"]);

const BODIES: Readonly<Record<JobKind, string>> = {
  succeeds: "say start; say end",
  fails: "say start; say end; exit 3",
  recovers: 'say start; say end; [ "$QUEUECTL_ATTEMPT" -gt 1 ]',
  "takes-long": "say start; beats 30; say end",
  "ignores-term": "trap '' TERM; say start; beats 30; say end",
  // What these leave behind lives longer than they do, and would meet the retry.
  forks: "say start; beats 60 & beats 3; say end; exit 1",
  escapes: 'say start; setsid /bin/sh -c "$functions; beats 60" & beats 3; say end; exit 1',
};

/** The command of a job of this kind that writes to the file at `path`. */
export function jobCommand(kind: JobKind, path: string): string {
  return `ledger=${shellWord(path)}; export ledger; functions=${shellWord(FUNCTIONS)}; eval "$functions"; ${BODIES[kind]}`;
}

const FUNCTIONS = [
  "say() { read -r up rest </proc/uptime || up=-; ",
  'printf "%s %s %s %s %s %s\\n" "$1" "$QUEUECTL_JOB_ID" "$QUEUECTL_ATTEMPT" "$QUEUECTL_LEASE" "$$" "$up" >>"$ledger"; } 2>/dev/null; ',
  'beats() { n=0; while [ "$n" -lt "$1" ]; do say beat; sleep 0.02; n=$((n+1)); done; }',
].join("");

/** Reads a ledger. Throws on a line that no job can have written. */
export function parseLedger(text: string): LedgerLine[] {
  return text.split("\n").filter(Boolean).map(parseLine);
}

function parseLine(line: string): LedgerLine {
  const [, what, job = "", attempt, lease, pid, at = ""] =
    /^(start|beat|end) (\S+) (\d+) (\d+) (\d+) (\S+)$/.exec(line) ?? [];
  if (what === undefined) throw new Error(`not a line of an execution ledger: ${JSON.stringify(line)}`);
  return {
    what: what as LedgerLine["what"],
    job,
    attempt: Number(attempt),
    lease: Number(lease),
    pid: Number(pid),
    at,
  };
}
