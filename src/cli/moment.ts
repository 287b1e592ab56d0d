/** Moments as people name them, seen from `now`. */
import { parseDuration } from "../job/duration.ts";
import { isInstant, parseInstant } from "../job/instant.ts";

const DISTANCE = /^(?:(?<ahead>\+|in )|(?<back>-)|)(?<duration>\w+?)(?<ago> ago)?$/;

/** For the sentence about one that is none. */
export const MOMENTS = '"now", "2h ago", "in 5m", ISO 8601 or epoch milliseconds';

/** In epoch ms; undefined for what names none. A bare duration does not say which way it goes. */
export function parseMoment(text: string, now: number): number | undefined {
  if (text === "now") return now;
  const instant = /^\d+$/.test(text) ? Number(text) : parseInstant(text.replace(" ", "T"));
  if (isInstant(instant)) return instant;
  const { ahead, back, duration = "", ago } = DISTANCE.exec(text)?.groups ?? {};
  const ms = parseDuration(duration);
  const ways = [ahead, back, ago].filter(Boolean).length;
  if (ms === undefined || ways !== 1) return undefined;
  return ahead ? now + ms : now - ms;
}
