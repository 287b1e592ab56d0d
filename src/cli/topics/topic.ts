/** A page of help that is about no single command. */
export interface Topic {
  readonly summary: string;
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

const PAGE_WIDTH = 80;
const INDENT = "  ";
const GAP = "  ";

/** What is explained, and how: in two columns, the second wrapped so that the page is no wider than a terminal. */
export function explained(rows: readonly (readonly [what: string, how: string])[]): string[] {
  const width = Math.max(...rows.map(([what]) => what.length));
  const room = PAGE_WIDTH - INDENT.length - width - GAP.length;
  return rows.flatMap(([what, how]) =>
    wrapped(how, room).map((line, i) => `${(i === 0 ? what : "").padEnd(width)}${GAP}${line}`),
  );
}

/** The text of the page. */
export function topicText({ summary, sections }: Topic): string {
  const parts = sections.map(({ title, lines }) => `${title}:\n${lines.map((line) => `${INDENT}${line}`).join("\n")}`);
  return `${[summary, ...parts].join("\n\n")}\n`;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
