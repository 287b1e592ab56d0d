/** A terminal in memory: what a person would see of what was sent to it. It knows what full-screen programs here send, and throws at the rest. */

const PIECE = /\x1b\[(?<private>\??)(?<numbers>[\d;]*)(?<final>[A-Za-z])|(?<text>[^\x1b])/gsu;
const UNFINISHED = /\x1b(?:\[[\d;?]*)?$/;

export class VirtualScreen {
  columns: number;
  rows: number;
  isAlternate = false;
  isCursorShown = true;
  doesWrap = true;
  /** Every row that was written to since this was last emptied. */
  readonly touched = new Set<number>();
  #cells: string[][];
  #primary: string[][] = [];
  #row = 0;
  #column = 0;
  #rest = "";
  readonly #decoder = new TextDecoder();

  constructor({ columns, rows }: { columns: number; rows: number }) {
    this.columns = columns;
    this.rows = rows;
    this.#cells = blank(columns, rows);
  }

  /** The rows, without blanks at their ends. */
  get lines(): string[] {
    return this.#cells.map((row) => row.join("").trimEnd());
  }

  get text(): string {
    return this.lines.join("\n").trimEnd();
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#cells = blank(columns, rows);
  }

  feed(bytes: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    this.#rest = UNFINISHED.exec(text)?.[0] ?? "";
    const whole = text.slice(0, text.length - this.#rest.length);
    for (const { groups = {} } of whole.matchAll(PIECE)) {
      if (groups.text !== undefined) this.#put(groups.text);
      else if (groups.private) this.#set(groups.numbers ?? "", groups.final === "h");
      else this.#control(groups.final ?? "", (groups.numbers || "").split(";").map(Number));
    }
  }

  #put(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#feedLine();
    else {
      const width = Bun.stringWidth(character);
      const row = this.#cells[this.#row];
      if (this.#column + width > this.columns) {
        if (!this.doesWrap) return;
        this.#column = 0;
        this.#feedLine();
      }
      this.touched.add(this.#row);
      if (row) row[this.#column] = character;
      for (let i = 1; i < width; i++) if (row) row[this.#column + i] = "";
      this.#column += width;
    }
  }

  #feedLine(): void {
    if (this.#row < this.rows - 1) this.#row++;
    else this.#cells = [...this.#cells.slice(1), Array<string>(this.columns).fill(" ")];
  }

  #set(what: string, isOn: boolean): void {
    if (what === "25") this.isCursorShown = isOn;
    else if (what === "7") this.doesWrap = isOn;
    else if (what === "1049") {
      if (isOn && !this.isAlternate) this.#primary = this.#cells;
      this.#cells = isOn ? blank(this.columns, this.rows) : this.#primary;
      this.isAlternate = isOn;
    } else throw new Error(`unknown mode ${what}`);
  }

  #control(final: string, [first = 0, second = 0]: number[]): void {
    if (final === "H") [this.#row, this.#column] = [Math.max(1, first) - 1, Math.max(1, second) - 1];
    else if (final === "K") this.#clear(this.#row, this.#column);
    else if (final === "J") {
      const isAll = first === 2;
      this.#clear(isAll ? 0 : this.#row, isAll ? 0 : this.#column);
      for (let row = isAll ? 1 : this.#row + 1; row < this.rows; row++) this.#clear(row, 0);
    } else if (final !== "m") throw new Error(`unknown control ${final}`);
  }

  #clear(row: number, from: number): void {
    this.touched.add(row);
    this.#cells[row]?.fill(" ", from);
  }
}

function blank(columns: number, rows: number): string[][] {
  return Array.from({ length: rows }, () => Array<string>(columns).fill(" "));
}
