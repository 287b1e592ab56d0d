/** Patterns as the shell has them: `*` for anything, `?` for one character, a backslash before what means itself. */
const ANY = Symbol("*");
const ONE = Symbol("?");
type Part = string | typeof ANY | typeof ONE;

/** Whether all of a text is as the pattern says. A slash and a bracket are characters like any other: commands are full of them. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const parts = (pattern.match(/\\?./gsu) ?? []).map(partOf);
  return (text) => matches(parts, [...text]);
}

function partOf(written: string): Part {
  if (written === "*") return ANY;
  if (written === "?") return ONE;
  return written.length > 1 && written.startsWith("\\") ? written.slice(1) : written;
}

/** Where the text goes on differently, the latest `*` takes one character more; an earlier one never has to. */
function matches(parts: readonly Part[], text: readonly string[]): boolean {
  let [at, part] = [0, 0];
  let star: { readonly part: number; taken: number } | undefined;
  while (at < text.length) {
    if (parts[part] === ANY) {
      star = { part, taken: at };
      part += 1;
    } else if (parts[part] === ONE || parts[part] === text[at]) {
      at += 1;
      part += 1;
    } else if (star) {
      star.taken += 1;
      at = star.taken;
      part = star.part + 1;
    } else {
      return false;
    }
  }
  return parts.slice(part).every((left) => left === ANY);
}
