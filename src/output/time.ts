import { durationText } from "../job/duration.ts";

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

/** The time of day, where people are; of another day, the date as well: `14:03:10`, `2026-11-28 14:03:10`. */
export function clock(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  // Swedish writes both as ISO 8601 does.
  const time = date.toLocaleTimeString("sv-SE");
  return date.toDateString() === today.toDateString() ? time : `${date.toLocaleDateString("sv-SE")} ${time}`;
}

/** ISO 8601, to the millisecond. Any number is accepted: a foreign record may hold an instant that no calendar has. */
export function iso(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}

/** How long something took, as exactly as it matters: `120ms`, `1.2s`, `2m5s`. A clock that was set back makes it nothing. */
export function elapsed(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)}s` : durationText(Math.round(ms / 1000) * 1000);
}
