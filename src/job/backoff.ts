/** How long a failed attempt waits before the next: `backoff_base ^ attempts` seconds, capped, then spread by jitter. */
export interface BackoffPolicy {
  readonly base: number;
  readonly maxSeconds: number;
  /** 0 keeps the exact formula; 0.25 spreads the delay evenly over ±25 %, so that jobs that failed together part. */
  readonly jitter: number;
}

/** Milliseconds until the next attempt after `attempts` of them. An overflowing power is the cap, not infinity. */
export function backoffMs(attempts: number, policy: BackoffPolicy, random: () => number): number {
  const spread = 1 + policy.jitter * (2 * random() - 1);
  return Math.round(exactBackoffSeconds(attempts, policy) * spread * 1000);
}

/** The curve without jitter, apart so that it can be tested (as River does). */
export function exactBackoffSeconds(attempts: number, policy: BackoffPolicy): number {
  return Math.min(policy.base ** attempts, policy.maxSeconds);
}
