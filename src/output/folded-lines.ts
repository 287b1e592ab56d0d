/** Lines that are too wide go on in the next one. */
export function foldedLines(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((line) => folded(line, columns));
}

function folded(line: string, columns: number): string[] {
  const text = line.replaceAll("\t", "    ");
  if (Bun.stringWidth(text) <= columns) return [text];
  const parts: string[] = [];
  let part = "";
  let used = 0;
  for (const character of text) {
    const width = Bun.stringWidth(character);
    if (used + width > columns) {
      parts.push(part);
      part = "";
      used = 0;
    }
    part += character;
    used += width;
  }
  return [...parts, part];
}
