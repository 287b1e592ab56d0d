/** Durations as people write them: `90s`, `15m`, `2h30m`, `1d`, `250ms`; each unit once at most, the longest first. */
const WRITTEN = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1000 },
  { name: "ms", ms: 1 },
] as const;

/** In ms; undefined for what is no duration. */
export function parseDuration(text: string): number | undefined {
  const [written, ...counts] = WRITTEN.exec(text) ?? [];
  if (!written) return undefined;
  return UNITS.reduce((sum, { ms }, index) => sum + Number(counts[index] ?? 0) * ms, 0);
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
