/** What a failed command said last, as one line that is safe to print: the part of an error that explains it. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const TAIL_BYTES = 4096;
const MAX_CHARACTERS = 200;

/**
 * The last line of a log that shows anything, of its last 4 KiB: without escape sequences and control characters,
 * trimmed, at most 200 characters. A carriage return ends a line too, as progress bars mean it. Undefined when there is
 * none, or no file.
 */
export function lastLine(path: string): string | undefined {
  return readTail(path, TAIL_BYTES)
    .split(/[\r\n]+/)
    .map(printable)
    .findLast((line) => line !== "");
}

/** A line without escape sequences and control characters, trimmed and cut to 200 characters. */
export function printable(line: string): string {
  const text = Bun.stripANSI(line)
    .replaceAll("\t", " ")
    .replaceAll(/\p{Cc}/gu, "")
    .trim();
  // By characters, not UTF-16 units, so that none is cut in half.
  return text.length <= MAX_CHARACTERS ? text : [...text].slice(0, MAX_CHARACTERS).join("");
}

/** The text in the last so many bytes of a file; none when it is not there. */
export function readTail(path: string, maxBytes: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const start = Math.max(0, fstatSync(file).size - maxBytes);
    const bytes = Buffer.alloc(maxBytes);
    const length = readSync(file, bytes, 0, maxBytes, start);
    // The cut may have hit a character of several bytes; its remains (10xxxxxx) are not part of the text.
    let first = 0;
    while (start > 0 && first < 3 && ((bytes[first] ?? 0) & 0xc0) === 0x80) first++;
    return bytes.toString("utf8", first, length);
  } finally {
    closeSync(file);
  }
}
