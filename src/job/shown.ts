/** A value as it may stand in a sentence: JSON, so control characters are escaped, and cut to a readable length. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
