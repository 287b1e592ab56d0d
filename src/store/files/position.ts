/** Places in the journals, and in the chain of commits that runs through them. */
import type { Commit } from "./commit.ts";

/** Where the chain of commits stands. */
export interface ChainEnd {
  /** The `sum` of the last commit that counts. */
  readonly sum: string;
  /** The sequence number that the next record takes. */
  readonly seq: number;
}

export interface Place {
  readonly generation: number;
  /** The byte offset in the journal of this generation. */
  readonly at: number;
}

/** Where one can go on reading: just after a commit that counts, or where a generation begins. */
export interface Position extends Place {
  readonly end: ChainEnd;
}

/** A position by itself, of what is one and more. */
export function positionOf({ generation, at, end: { sum, seq } }: Position): Position {
  return { generation, at, end: { sum, seq } };
}

/** Where a generation begins. */
export function beginningOf(generation: number, end: ChainEnd): Position {
  return { generation, at: 0, end };
}

/** Where the chain stands after a commit. */
export function endOf({ sum, seq, records }: Pick<Commit, "sum" | "seq" | "records">): ChainEnd {
  return { sum, seq: seq + records.length };
}

export function isBefore(one: Place, other: Place): boolean {
  return one.generation < other.generation || (one.generation === other.generation && one.at < other.at);
}
