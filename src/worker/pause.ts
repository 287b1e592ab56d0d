/** Waits `ms` milliseconds, or until `until` aborts, whichever is first. Never rejects. */
export function pause(ms: number, until?: AbortSignal): Promise<void> {
  if (until?.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clearTimeout(timer);
    until?.removeEventListener("abort", done);
    resolve();
  };
  const timer = setTimeout(done, ms);
  until?.addEventListener("abort", done);
  return promise;
}
