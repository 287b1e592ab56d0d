/** Instants as people write them: ISO 8601. */
const ISO_8601 = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
/** The last one that a JavaScript date can name. */
const MAX_INSTANT = 8.64e15;

/** In epoch ms; undefined for anything else, and for a day that the calendar does not have (`Date.parse` makes 30 February 2 March). */
export function parseInstant(text: string): number | undefined {
  const [, year, month, day] = ISO_8601.exec(text) ?? [];
  if (day === undefined) return undefined;
  const isInCalendar = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  const instant = Date.parse(text);
  return isInCalendar && isInstant(instant) ? instant : undefined;
}

export function isInstant(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_INSTANT;
}
