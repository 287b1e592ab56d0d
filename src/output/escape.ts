/** Control characters, and the invisible ones that reorder a line: a job's text must not be able to steer a terminal. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** The same, less what `JSON.stringify` escapes already and the newlines of its indentation. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Text as one line that is safe to print: `\n`, `\x1b`, `\u202e`. */
export function escapeControls(text: string): string {
  if (isPlain(text)) return text;
  return text.toWellFormed().replace(UNSAFE, (character) => SHORT[character] ?? codeEscape(character));
}

/** As `escapeControls`, for text of several lines: newlines and tabs stay. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSAFE, (character) => (character === "\n" || character === "\t" ? character : codeEscape(character)));
}

/** JSON text that is also safe on a terminal. It parses to the same value. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(UNSAFE_IN_JSON, unicodeEscape);
}

/** Printable ASCII, told without the pattern, the first use of which costs as much as printing the line. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

function codeEscape(character: string): string {
  const code = character.charCodeAt(0);
  return code > 0xff ? unicodeEscape(character) : `\\x${code.toString(16).padStart(2, "0")}`;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
