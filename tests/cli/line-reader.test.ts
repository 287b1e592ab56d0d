import { describe, expect, test } from "bun:test";
import { LineReader } from "../../src/cli/line-reader.ts";
import { QueueError } from "../../src/job/errors.ts";

type Piece = string | Uint8Array;

/** What the lines of these pieces come to, each with its number; the last entry is what was refused, if anything was. */
function read(...pieces: Piece[]): (string | { refused: string })[] {
  const reader = new LineReader();
  const found: (string | { refused: string })[] = [];
  const take = (lines: Iterable<string>): void => {
    for (const line of lines) found.push(`${reader.number}:${line}`);
  };
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece);
      take(reader.read(bytes));
      // The buffer of the next piece may be the same one.
      bytes.fill("?");
    }
    take(reader.end());
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    found.push({ refused: `${reader.number}:${error.code}:${error.message}` });
  }
  return found;
}

const BOM = Buffer.of(0xef, 0xbb, 0xbf);
const NOT_UTF8 = (line: number) => ({ refused: `${line}:E_USAGE:Invalid job data: not valid UTF-8.` });
const TOO_LONG = (line: number, bytes: number | "more") => ({
  refused: `${line}:E_USAGE:Invalid job data: the JSON of a job must be at most 1048576 bytes, got ${bytes}.`,
});

describe("the lines of a text", () => {
  const cases: [what: string, text: Piece, lines: string[]][] = [
    ["end in LF", "a\nb\n", ["1:a", "2:b"]],
    ["end in CRLF, which is not part of them", "a\r\nb\r\n", ["1:a", "2:b"]],
    ["may end in both", "a\r\nb\nc", ["1:a", "2:b", "3:c"]],
    ["need no newline at the end", "a\nb", ["1:a", "2:b"]],
    ["need no newline at the end after CR either", "a\r\nb\r", ["1:a", "2:b"]],
    ["are passed over when they are blank, but counted", "\n\na\n \t\n\r\n  \r\nb\n\n", ["3:a", "7:b"]],
    ["keep a CR and blanks within them", " a\rb \nc", ["1: a\rb ", "2:c"]],
    ["may follow a byte order mark", Buffer.concat([BOM, Buffer.from("a\nb\n")]), ["1:a", "2:b"]],
    ["may follow a byte order mark that stands alone", Buffer.concat([BOM, Buffer.from("\r\nb")]), ["2:b"]],
    ["keep a mark that is not at the beginning", "a\n\ufeffb\n", ["1:a", "2:\ufeffb"]],
    ["keep a second mark", Buffer.concat([BOM, BOM, Buffer.from("a")]), ["1:\ufeffa"]],
    ["may be none", "", []],
    ["may be none but a mark", BOM, []],
    ["are any Unicode", "é🔁\u2028\u0085\n\u00a0\n", ["1:é🔁\u2028\u0085", "2:\u00a0"]],
  ];

  test.each(cases)("%s", (_, text, lines) => {
    expect(read(text)).toEqual(lines);
  });

  test.each(cases)("%s, wherever the text is cut in two", (_, text, lines) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      expect([at, read(bytes.subarray(0, at), bytes.subarray(at))]).toEqual([at, lines]);
    }
  });

  test.each(cases)("%s, byte by byte", (_, text, lines) => {
    expect(read(...Array.from(Buffer.from(text), (byte) => Buffer.of(byte)))).toEqual(lines);
  });
});

describe("a line that is not UTF-8 is refused with its number, after those before it", () => {
  test.each([
    ["a byte that never occurs", [0xff]],
    ["a character cut short by the end of the line", [0xc3]],
    ["a lone continuation", [0x80]],
    ["an overlong form", [0xc0, 0xaf]],
    ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00]],
  ])("%s", (_, bytes) => {
    for (const end of ["", "\n", "\r\n"]) {
      const text = Buffer.concat([Buffer.from("a\n\nb"), Buffer.from(bytes), Buffer.from(`${end}`)]);
      expect(read(text)).toEqual(["1:a", NOT_UTF8(3)]);
      expect(read(...Array.from(text, (byte) => Buffer.of(byte)))).toEqual(["1:a", NOT_UTF8(3)]);
    }
  });
});

describe("a line may have 1 MiB", () => {
  const longest = "x".repeat(1_048_576);

  test("and not a byte more, its ending and the byte order mark not counted", () => {
    for (const end of ["", "\n", "\r\n"]) {
      expect(read(Buffer.concat([BOM, Buffer.from(longest + end)]))).toEqual([`1:${longest}`]);
      expect(read(`a\n${longest}x${end}`)).toEqual(["1:a", TOO_LONG(2, 1_048_577)]);
    }
  });

  test("and is refused as soon as more than that has come without an end", () => {
    const reader = new LineReader();
    const piece = Buffer.alloc(64 * 1024, "x");
    let taken = 0;
    const takeMuch = (): void => {
      for (; taken < 100; taken++) expect([...reader.read(piece)]).toEqual([]);
    };
    expect(takeMuch).toThrow("the JSON of a job must be at most 1048576 bytes, got more.");
    expect(taken * piece.length).toBe(1_048_576);
    expect(reader.number).toBe(1);
  });
});
