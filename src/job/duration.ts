/** Durations as people write them: `90s`, `15m`, `2h30m`, `1d`, `250ms`; each unit once at most, the longest first. */
const WRITTEN = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1000 },
  { name: "ms", ms: 1 },
] as const;

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** How long a duration may be, in ms. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

export const ANY_DURATION: Span = { least: 0, most: TEN_YEARS_MS };

/** In ms; undefined for what is no duration. */
export function parseDuration(text: string): number | undefined {
  const [written, ...counts] = WRITTEN.exec(text) ?? [];
  if (!written) return undefined;
  return UNITS.reduce((sum, { ms }, index) => sum + Number(counts[index] ?? 0) * ms, 0);
}

export function isWithin(ms: unknown, { least, most }: Span): ms is number {
  return Number.isInteger(ms) && (ms as number) >= least && (ms as number) <= most;
}

export function spanText({ least, most }: Span): string {
  return `from ${durationText(least)} to ${durationText(most)}`;
}

/** As `parseDuration` reads it: `90000` is `1m30s`. */
export function durationText(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const unit of UNITS) {
    const count = Math.floor(rest / unit.ms);
    if (count > 0) parts.push(`${count}${unit.name}`);
    rest -= count * unit.ms;
  }
  return parts.join("") || "0s";
}
