/** Where figures stand on an axis, and at which of them it has its marks. */

export interface Scale {
  readonly ticks: readonly number[];
  /** From 0 at the lower end of the axis to 1 at the upper. */
  position(value: number): number;
}

const MOST_TICKS = 6;

/** From 0 to at least the greatest of the values, with marks at round numbers. */
export function linear(values: readonly number[]): Scale {
  const greatest = Math.max(...values, 0) || 1;
  const step = roundStep(greatest / (MOST_TICKS - 1));
  const count = Math.ceil(greatest / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) => i * step);
  return { ticks, position: (value) => value / (count * step) };
}

/** Whole decades around the values. What is not above 0 stands at the lower end. */
export function logarithmic(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return linear(values);
  // With some room below, or the least of them could not be seen as a bar.
  const lower = Math.floor(Math.log10(Math.min(...positive)) - 0.3);
  const upper = Math.max(Math.ceil(Math.log10(Math.max(...positive, 10 ** lower))), lower + 1);
  const factors = upper - lower > 2 ? [1] : [1, 2, 5];
  const decades = Array.from({ length: upper - lower }, (_, i) => 10 ** (lower + i));
  const ticks = [...decades.flatMap((decade) => factors.map((factor) => factor * decade)), 10 ** upper];
  const position = (value: number): number => (value > 0 ? (Math.log10(value) - lower) / (upper - lower) : 0);
  return { ticks, position: (value) => Math.max(0, position(value)) };
}

/** 1, 2 or 5 times a power of ten, and not less than this. */
function roundStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * decade >= least) ?? 10) * decade;
}
