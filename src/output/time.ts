const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1000 },
] as const;

/** A length of time in its largest unit: `12s`, `3m`, `5h`, `2d`. */
export function span(ms: number): string {
  const unit = UNITS.find((candidate) => ms >= candidate.ms) ?? { name: "s", ms: 1000 };
  return `${Math.floor(ms / unit.ms)}${unit.name}`;
}

/** An instant as seen from `now`: `12s ago`, `in 3m`, `now`. */
export function relative(at: number, now: number): string {
  const ms = at - now;
  if (Math.abs(ms) < 1000) return "now";
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

/** ISO 8601, to the millisecond. Any number is accepted: a foreign record may hold an instant that no calendar has. */
export function iso(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
