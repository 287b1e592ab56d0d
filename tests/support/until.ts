const POLL_MS = 5;

type Truthy<T> = Exclude<T, false | 0 | "" | null | undefined>;

/** The first truthy value of `condition`, asked every few milliseconds. Throws with `what` once the deadline has passed. */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  { timeoutMs = 20_000 }: { timeoutMs?: number } = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Truthy<T>;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
