/**
 * A TypeScript file as the architecture rules see it. It is read without a parser: comments and the contents of strings
 * are blanked (positions stay), which makes a search for words and braces exact; the rest relies on Biome's layout.
 */
import { dirname, join } from "node:path/posix";

export interface SourceFile {
  /** Below `src/`, as in `job/job.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of strings, templates and regular expressions blanked. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** A path below `src/`, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  /** Gone at run time: `import type`. */
  readonly typeOnly: boolean;
}

/** A function, or another block of statements, from the line it starts on to that of its closing brace. */
export interface Block {
  readonly line: number;
  readonly lines: number;
}

// Comments, strings, and a regular expression where a value may begin; and what opens and closes anything else.
const OUTSIDE_TEMPLATES =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?<=(?:[(,=:[!&|?{};>]|\breturn)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*|[`{}]/g;
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/g;
const IMPORT =
  /\b(?:import|export)\s+(?<type>type\s)?(?:[^;"'()]*?\sfrom\s*)?"(?<from>[^"\n]*)"|\b(?:import|require)\(\s*"(?<dynamic>[^"\n]*)"/dg;
/** What stands before a brace that opens no statements: an object, a type, a list of names, or a class. */
const NOT_A_BODY = /(?:[=([,:?|&<]|\b(?:return|satisfies|as|extends|import|export|type|default))$/;
const CLASS_HEAD = /\b(?:class|interface)\s[^;{}]*$/;

export function sourceFile(path: string, text: string): SourceFile {
  const code = blanked(text);
  return { path, text, code, imports: importsOf(path, { text, code }) };
}

/** The blocks of statements in a file; a nested one is in the list beside the one around it. */
export function blocks(code: string): Block[] {
  const found: Block[] = [];
  const open: number[] = [];
  for (const { 0: brace, index } of code.matchAll(/[{}]/g)) {
    if (brace === "{") open.push(index);
    else found.push(...bodyOf(code, { from: open.pop() ?? 0, to: index }));
  }
  return found;
}

/** Where `pattern` occurs in the code, as `path:line`. */
export function occurrences({ path, code }: SourceFile, pattern: RegExp): string[] {
  return [...code.matchAll(new RegExp(pattern, "g"))].map(({ index }) => `${path}:${lineAt(code, index)}`);
}

/** Goes from literal to literal, in and out of templates, whose substitutions are code again. */
function blanked(text: string): string {
  let code = "";
  const around: ("block" | "substitution")[] = [];
  let inTemplate = false;
  for (;;) {
    const pattern = inTemplate ? TEMPLATE_TEXT : OUTSIDE_TEMPLATES;
    pattern.lastIndex = code.length;
    const found = pattern.exec(text);
    if (!found) return code + text.slice(code.length);
    code += text.slice(code.length, found.index);
    const [literal] = found;
    if (literal.endsWith("${") && inTemplate) {
      around.push("substitution");
      inTemplate = false;
    } else if (literal === "}" && around.pop() === "substitution") {
      inTemplate = true;
    } else if (literal === "{") {
      around.push("block");
    } else if (literal.endsWith("`") && (inTemplate || literal === "`")) {
      inTemplate = !inTemplate;
    }
    code += /^[{}]$/.test(literal) && !inTemplate ? literal : spaced(literal);
  }
}

/** Blanks a literal, but for its quotes and line ends. */
function spaced(literal: string): string {
  if (/^["']/.test(literal)) return `${literal[0]}${" ".repeat(literal.length - 2)}${literal.at(-1)}`;
  return literal.replace(/[^\n`]/g, " ");
}

function importsOf(path: string, { text, code }: { text: string; code: string }): Import[] {
  return [...code.matchAll(IMPORT)].map(({ groups, indices }) => {
    const [start, end] = indices?.groups?.from ?? indices?.groups?.dynamic ?? [0, 0];
    const specifier = text.slice(start, end);
    const isPackage = !specifier.startsWith(".");
    return {
      target: isPackage ? specifier : join(dirname(path), specifier),
      isPackage,
      typeOnly: groups?.type !== undefined,
    };
  });
}

function bodyOf(code: string, { from, to }: { from: number; to: number }): Block[] {
  const before = code.slice(0, from).trimEnd();
  if ((NOT_A_BODY.test(before) && !before.endsWith("=>")) || CLASS_HEAD.test(before)) return [];
  const line = headLine(code, from);
  return [{ line, lines: lineAt(code, to) - line + 1 }];
}

/** The line a block starts on: where its signature is broken over lines, the one with the same indentation above. */
function headLine(code: string, brace: number): number {
  const lines = code.slice(0, brace + 1).split("\n");
  let line = lines.length - 1;
  const indentation = /^ */.exec(lines[line] ?? "")?.[0] ?? "";
  while (/^ *[)}\]>]/.test(lines[line] ?? "")) {
    do line--;
    while (line > 0 && !new RegExp(`^${indentation}\\S`).test(lines[line] ?? ""));
  }
  return line + 1;
}

function lineAt(code: string, index: number): number {
  return code.slice(0, index).split("\n").length;
}
