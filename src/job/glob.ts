/**
 * Patterns for ids, as shells have them for file names: `*` is any text, `?` any character, `[a-c7]` one of some, `[!a-c]`
 * none of them; a backslash takes the meaning away. Here a slash or a dot is like any other character.
 */
type Part = "any text" | ((character: string) => boolean);

/** Whether a text matches as a whole. Takes no longer than the product of both lengths, whatever the pattern. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const parts = partsOf([...pattern]);
  return (text) => matches(parts, [...text]);
}

function matches(parts: readonly Part[], text: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  /** Where the last `any text` stood, and how far it reached when it was tried last. */
  let retry: { part: number; at: number } | undefined;
  while (at < text.length) {
    const next = parts[part];
    if (next === "any text") {
      retry = { part, at };
      part += 1;
    } else if (next?.(text[at] ?? "")) {
      part += 1;
      at += 1;
    } else if (retry) {
      retry.at += 1;
      part = retry.part + 1;
      at = retry.at;
    } else return false;
  }
  return parts.slice(part).every((rest) => rest === "any text");
}

function partsOf(pattern: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    const closing = character === "[" ? closingOf(pattern, at) : -1;
    if (character === "*") parts.push("any text");
    else if (character === "?") parts.push(() => true);
    else if (closing > 0) {
      parts.push(oneOf(pattern.slice(at + 1, closing)));
      at = closing;
    } else if (character === "\\" && at + 1 < pattern.length) parts.push(only(pattern[++at] ?? ""));
    else parts.push(only(character));
  }
  return parts;
}

/** Of a bracket: the first thing in it may be a closing one itself. Without an end it stands for itself. */
function closingOf(pattern: readonly string[], opening: number): number {
  const first = opening + (pattern[opening + 1] === "!" ? 2 : 1);
  return pattern.indexOf("]", first + 1);
}

function oneOf(inside: readonly string[]): Part {
  const isInverted = inside[0] === "!";
  const members = isInverted ? inside.slice(1) : inside;
  const ranges: [from: string, to: string][] = [];
  for (let at = 0; at < members.length; at++) {
    const from = members[at] ?? "";
    const isRange = members[at + 1] === "-" && at + 2 < members.length;
    ranges.push([from, (isRange ? members[at + 2] : from) ?? ""]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== isInverted;
}

function only(wanted: string): Part {
  return (character) => character === wanted;
}
