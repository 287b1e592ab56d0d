/** What a panel of a chart shows, gathered from the findings that are marked for it. */
import { type Finding, type Measured, quantileOf } from "../benchmark.ts";

export interface Plotted {
  /** In the order in which they stand. */
  readonly places: readonly string[];
  /** The points of a series by place. */
  readonly series: ReadonlyMap<string, ReadonlyMap<string, Point>>;
}

export interface Point {
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

/** Findings that name no panel are of the first. What a finding is held against is a series of its own. */
export function plotted(findings: readonly Finding[], panel: { name: string; isFirst: boolean }): Plotted {
  const places = new Set<string>();
  const series = new Map<string, Map<string, Point>>();
  const add = (name: string, x: string, point: Point): void => {
    const points = series.get(name) ?? new Map<string, Point>();
    series.set(name, points);
    // A thing that is held against several is told several times.
    if (!points.has(x)) points.set(x, point);
  };
  for (const finding of findings) {
    if (!isIn(finding, panel)) continue;
    const { mark, samples, quantile, beside } = finding;
    places.add(mark.x);
    add(mark.series, mark.x, pointOf(samples, quantile));
    if (beside) add(beside.name, mark.x, pointOf(beside.samples, quantile));
  }
  return { places: [...places], series };
}

function isIn(
  finding: Finding,
  { name, isFirst }: { name: string; isFirst: boolean },
): finding is Measured & Required<Pick<Measured, "mark">> {
  if ("because" in finding || finding.mark === undefined) return false;
  return finding.mark.panel === undefined ? isFirst : finding.mark.panel === name;
}

function pointOf(samples: readonly number[], quantile?: number): Point {
  const value = quantileOf(samples, quantile);
  // Only of a median it says something how far the others are from it.
  return quantile === undefined ? { value, min: Math.min(...samples), max: Math.max(...samples) } : atPoint(value);
}

function atPoint(value: number): Point {
  return { value, min: value, max: value };
}
