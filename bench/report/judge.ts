/** Whether a finding keeps to its budget, and its figures in words. */
import { type Measured, quantileOf, type Unit } from "../benchmark.ts";

export interface Judged {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** What is beside it, in the same unit. */
  readonly beside?: number;
  readonly ratio?: number;
  readonly verdict?: "ok" | "short";
}

export function judge({ samples, quantile, beside, budget }: Measured): Judged {
  const value = quantileOf(samples, quantile);
  const judged = { value, min: Math.min(...samples), max: Math.max(...samples) };
  const held = beside && quantileOf(beside.samples, quantile);
  const ratio = held === undefined ? undefined : value / held;
  const measure = ratio ?? value;
  const isMet = budget && ("atMost" in budget ? measure <= budget.atMost : measure >= budget.atLeast);
  return {
    ...judged,
    ...(held === undefined ? {} : { beside: held }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(isMet === undefined ? {} : { verdict: isMet ? "ok" : "short" }),
  };
}

/** With its unit, to about three digits. */
export function figure(value: number, unit: Unit): string {
  return `${number(value)} ${unit}`;
}

/** `≤ 2.00` of a ratio, `≥ 1,500 /s` of a figure. */
export function limit({ budget, beside, unit }: Measured): string {
  if (budget === undefined) return "";
  const [sign, value] = "atMost" in budget ? ["≤", budget.atMost] : ["≥", budget.atLeast];
  return `${sign} ${beside === undefined ? figure(value, unit) : value.toFixed(2)}`;
}

/** To about three digits, with a comma at the thousands. */
export function number(value: number): string {
  const digits = value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
