/**
 * How often jobs of a queue are begun: at most so many in any second, minute or hour, wherever one starts to count. For that
 * the latest beginnings are kept, as many as the rate allows; when the first of them is that long ago, the next may come.
 */

/** Like `10/m`. */
export type Rate = `${number}/${"s" | "m" | "h"}`;

export interface RateParts {
  readonly count: number;
  readonly perMs: number;
}

export const MOST_A_RATE = 1000;
const UNITS = [
  { letter: "s", name: "second", ms: 1000 },
  { letter: "m", name: "minute", ms: 60_000 },
  { letter: "h", name: "hour", ms: 3_600_000 },
] as const;
const WRITTEN = /^([1-9]\d{0,3})\/([smh])$/;

export function isRate(value: unknown): value is Rate {
  return typeof value === "string" && WRITTEN.test(value) && rateParts(value as Rate).count <= MOST_A_RATE;
}

export function rateParts(rate: Rate): RateParts {
  const [, count, unit = ""] = WRITTEN.exec(rate) ?? [];
  return { count: Number(count), perMs: UNITS.find(({ letter }) => letter === unit)?.ms ?? 0 };
}

/** The time that it is about, in a word. */
export function rateUnit(rate: Rate): string {
  return UNITS.find(({ letter }) => rate.endsWith(letter))?.name ?? "";
}

export function rateOf({ count, perMs }: RateParts): Rate {
  return `${count}/${UNITS.find(({ ms }) => ms === perMs)?.letter ?? "h"}`;
}

/** How many more may be begun now. */
export function roomUnder(rate: Rate, begun: readonly number[], now: number): number {
  return Math.max(0, rateParts(rate).count - within(rate, begun, now).length);
}

/** When the next may be begun; undefined where that is now. */
export function opensAgainAt(rate: Rate, begun: readonly number[], now: number): number | undefined {
  const { count, perMs } = rateParts(rate);
  const first = within(rate, begun, now).at(-count);
  return first === undefined ? undefined : first + perMs;
}

/** The latest beginnings, oldest first, with one more. */
export function withBeginning(rate: Rate, begun: readonly number[], at: number): number[] {
  const { count, perMs } = rateParts(rate);
  const possible = begun.filter((time) => time <= at + perMs);
  return [...possible, at].sort((a, b) => a - b).slice(-count);
}

/** What is further ahead than that comes from a clock that was set back since: nobody waits for it. */
function within(rate: Rate, begun: readonly number[], now: number): number[] {
  const { perMs } = rateParts(rate);
  return begun.filter((time) => time > now - perMs && time <= now + perMs);
}
