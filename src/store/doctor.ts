/** The seam for looking a store over and mending it. A damaged store cannot be opened as a `Store`; it can as this. */

import type { JobState } from "../job/job.ts";

/** Something that is not as it should be. */
export interface Finding {
  /** `damage` keeps the store from being used or costs a job; a `concern` is worth a look. */
  readonly severity: "damage" | "concern";
  readonly path: string;
  readonly line?: number;
  /** What is wrong there, to be said after the place: `its checksum does not match.` */
  readonly problem: string;
  /** The jobs that it touches, as far as that can be told. */
  readonly jobs: readonly string[];
}

export interface Examination {
  /** Nothing is damaged; there may be concerns. */
  readonly sound: boolean;
  /** What is damaged is for `mend`; not so what others may have put there. */
  readonly mendable: boolean;
  /** What to do about damage that is not for `mend`, where that can be told. */
  readonly advice?: string;
  /** What each file or table holds, of a sound store. */
  readonly files: readonly { readonly path: string; readonly holds: string }[];
  readonly findings: readonly Finding[];
}

export interface Mending {
  readonly findings: readonly Finding[];
  /** Where everything lies that was replaced, as it was. */
  readonly setAside: string;
  /** What became of every job that the damage touched. */
  readonly jobs: readonly { readonly id: string; readonly now: JobState | "dead" | "lost" }[];
}

export interface Doctor {
  readonly location: string;
  /** Reads everything and changes nothing. Throws `E_STORE_VERSION` and `E_STORE_IO`. */
  examine(): Promise<Examination>;
  /**
   * Rebuilds the store from everything in it that is whole, after a copy of all of it has been set aside. Undefined when
   * nothing is damaged. Throws `E_STORE_LOCKED` while anyone works on it, and what `examine` throws.
   */
  mend(): Promise<Mending | undefined>;
}
