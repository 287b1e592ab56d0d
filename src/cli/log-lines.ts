/** `logs --grep`: of what comes, the lines that match, byte for byte. */
import { shown } from "../job/shown.ts";
import { mistake } from "./mistake.ts";

const NEWLINE = 0x0a;

/** A regular expression for a line. Throws `E_USAGE`. */
export function linePattern(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (cause) {
    const reason = (cause as Error).message.replace("Invalid regular expression: ", "");
    throw mistake(`Expected --grep to be a regular expression, got ${shown(text)}: ${reason}.`);
  }
}

/** The matching lines, each as soon as it is whole; the last one even if it never is. */
export async function* matchingLines(chunks: AsyncIterable<Uint8Array>, pattern: RegExp): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...begun, chunk.subarray(from, end + 1)]);
      if (isMatch(line, pattern)) yield line;
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
  const rest = Buffer.concat(begun);
  if (rest.length > 0 && isMatch(rest, pattern)) yield rest;
}

function isMatch(line: Buffer, pattern: RegExp): boolean {
  return pattern.test(line.toString().replace(/\r?\n$/, ""));
}
