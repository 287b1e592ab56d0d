/** Numbers of jobs in words. */

/** `0`, `100`, `20 k`, `1 M`. */
export function short(count: number): string {
  if (count >= 1_000_000) return `${count / 1_000_000} M`;
  return count >= 1000 ? `${count / 1000} k` : String(count);
}

/** `20 k pending`. */
export function jobsInWords(count: number, state: "pending" | "completed" | "queued" | "jobs"): string {
  return `${short(count)} ${state}`;
}
