/** The keys of the main page of `top`, for everybody who lists them. What they do is in cli/top/session.ts. */
export const KEYS = [
  { keys: "arrows, k j", does: "choose a job", briefly: "↑↓ choose" },
  { keys: "l, Enter", does: "what its last attempt printed; q goes back", briefly: "l log" },
  { keys: "r", does: "have the chosen dead letter, or failed job, run again", briefly: "r retry" },
  { keys: "c", does: "cancel the chosen job: its processes are ended", briefly: "c cancel" },
  { keys: "p", does: "pause the queue of the chosen job, or resume it", briefly: "p pause" },
  { keys: "?", does: "what else there is to know", briefly: "? help" },
  { keys: "q, ^C", does: "leave; ^Z, and fg to come back", briefly: "q quit" },
] as const;

/** One line a key. */
export function keyLines(): string[] {
  const width = Math.max(...KEYS.map(({ keys }) => keys.length));
  return KEYS.map(({ keys, does }) => `${keys.padEnd(width)}  ${does}`);
}
