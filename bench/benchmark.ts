/** What a benchmark is: how it measures, and what it finds. */

/** One line of the result. */
export interface Finding {
  readonly what: string;
  readonly unit: "ms" | "/s";
  readonly samples: readonly number[];
  /** Which of the samples is told, from 0 to 1; the median when it is not said. */
  readonly quantile?: number;
  /** The same work without a queue, measured in turn with the samples. */
  readonly floor?: readonly number[];
  /** For the ratio of the medians to each other; where there is no floor, for the median. */
  readonly budget: { readonly atMost: number } | { readonly atLeast: number };
}

/** Where a benchmark may leave its files, all of which go away with it. */
export interface Place {
  /** The program that is measured. */
  readonly queuectl: string;
  /** A path that nothing is at yet. */
  fresh(name: string): string;
  /** Builds the program of a source file, as `build.ts` builds queuectl, and returns its path. */
  compile(url: string): Promise<string>;
}

export type Benchmark = (place: Place) => Promise<Finding[]>;

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

/** The sample that this part of all of them does not exceed. */
export function quantileOf(samples: readonly number[], quantile = 0.5): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = sorted.length * quantile;
  return ((sorted[Math.ceil(place) - 1] ?? Number.NaN) + (sorted[Math.floor(place)] ?? Number.NaN)) / 2;
}
