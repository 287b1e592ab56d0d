/** `logs --grep`: of what comes, the lines that match, byte for byte. */
import { shown } from "../job/shown.ts";
import type { LogChunk } from "../output/output.ts";
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

/** The matching lines of each stream, each as soon as it is whole; the last one even if it never is. */
export async function* matchingLines(chunks: AsyncIterable<LogChunk>, pattern: RegExp): AsyncGenerator<LogChunk> {
  const begun = new Map<LogChunk["stream"], Uint8Array[]>();
  for await (const { bytes, stream } of chunks) {
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...(begun.get(stream) ?? []), bytes.subarray(from, end + 1)]);
      if (isMatch(line, pattern)) yield { bytes: line, stream };
      begun.delete(stream);
      from = end + 1;
    }
    if (from < bytes.length) begun.set(stream, [...(begun.get(stream) ?? []), bytes.subarray(from)]);
  }
  for (const [stream, pieces] of begun) {
    const rest = Buffer.concat(pieces);
    if (isMatch(rest, pattern)) yield { bytes: rest, stream };
  }
}

function isMatch(line: Buffer, pattern: RegExp): boolean {
  return pattern.test(line.toString().replace(/\r?\n$/, ""));
}
