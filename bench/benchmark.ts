/** What a benchmark is: how it measures, what it finds, and how that is drawn. */
import type { Place } from "./stage/place.ts";

/** How much a run takes upon itself: what is worth telling, or what shows in a minute or two that all of it works. */
export type Effort = "full" | "quick";

export interface Benchmark {
  readonly chart: ChartPlan;
  measure(place: Place): Promise<Finding[]>;
}

/** One line of the result. */
export type Finding = Measured | Unmeasured;

export type Unit = "ms" | "/s" | "%" | "MiB" | "KiB" | "rows" | "times";

export interface Measured {
  readonly what: string;
  readonly unit: Unit;
  readonly samples: readonly number[];
  /** Which of the samples is told, from 0 to 1; the median when it is not said. */
  readonly quantile?: number;
  /** What it is held against, measured in turn with the samples. */
  readonly beside?: Beside;
  /** For the ratio to what is beside it; where there is nothing, for the figure itself. */
  readonly budget?: { readonly atMost: number } | { readonly atLeast: number };
  /** Where the chart shows it, and what is beside it; nowhere, when it is not said. */
  readonly mark?: Mark;
}

/** The least that the same work can cost, the same by another program, or the same in another case. */
export interface Beside {
  readonly name: string;
  readonly samples: readonly number[];
}

interface Mark {
  /** The name of a panel; the first of the chart when it is not said. */
  readonly panel?: string;
  readonly series: string;
  /** Marks stand side by side in the order in which their places are first named. */
  readonly x: string;
}

/** What there is no figure for. That a program is not installed is no failure. */
export interface Unmeasured {
  readonly what: string;
  readonly because: string;
  readonly isFailure: boolean;
}

export interface ChartPlan {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** Also the label of its upright axis, with the unit. */
  readonly name: string;
  readonly kind: "bars" | "lines";
  /** What `x` of a mark is. */
  readonly x: string;
  /** For figures that span decades. */
  readonly isLogarithmic?: boolean;
}

export function absent(what: string, because: string): Unmeasured {
  return { what, because, isFailure: false };
}

/**
 * Measures several things in turn, round by round, so that whatever else the machine does meets all of them. Each round
 * goes through them the other way round than the one before. The first round warms up and is not counted.
 */
export async function interleave<Name extends string, Sample>(
  rounds: number,
  measures: Readonly<Record<Name, () => Sample | Promise<Sample>>>,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(measures) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Name, Sample[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await measures[name]();
      if (round > 0) samples[name].push(sample);
    }
  }
  return samples;
}

/** The sample that this part of all of them does not exceed, from 0 (the least) to 1 (the greatest). */
export function quantileOf(samples: readonly number[], quantile = 0.5): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = sorted.length * quantile;
  const below = sorted[Math.max(Math.ceil(place) - 1, 0)] ?? Number.NaN;
  const above = sorted[Math.min(Math.floor(place), sorted.length - 1)] ?? Number.NaN;
  return (below + above) / 2;
}
