import { type Explanation, twoColumns } from "../../output/two-columns.ts";

/** A page of help that is about no single command. */
export interface Topic {
  readonly summary: string;
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

const PAGE_WIDTH = 80;
const INDENT = "  ";

/** What is explained, and how: in two columns, so that an indented page is no wider than a terminal. */
export function explained(rows: readonly Explanation[]): string[] {
  return twoColumns(rows, { width: PAGE_WIDTH - INDENT.length, paint: (how) => how });
}

/** The text of the page. */
export function topicText({ summary, sections }: Topic): string {
  const parts = sections.map(({ title, lines }) => `${title}:\n${lines.map((line) => `${INDENT}${line}`).join("\n")}`);
  return `${[summary, ...parts].join("\n\n")}\n`;
}
