/** Turns the text of options into values. Each throws `E_USAGE` with the option, what it expects and what it got. */
import { didYouMean } from "../job/closest.ts";
import { isWithin, parseDuration, type Span, spanText } from "../job/duration.ts";
import type { Range } from "../job/field.ts";
import { parseInstant } from "../job/instant.ts";
import { shown } from "../job/shown.ts";
import type { Arguments } from "./command.ts";
import { mistake } from "./mistake.ts";

/** A whole number, or undefined when the option was not given. */
export function wholeNumber(args: Arguments, option: string, range: Range): number | undefined {
  const text = args.options.get(option);
  if (text === undefined) return undefined;
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= range.min && number <= range.max) return number;
  throw mistake(`Expected --${option} to be a whole number from ${range.min} to ${range.max}, got ${shown(text)}.`);
}

/** In ms, or undefined when the option was not given. A number without a unit is none: to some it would be seconds. */
export function duration(args: Arguments, option: string, span: Span): number | undefined {
  const text = args.options.get(option);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (isWithin(ms, span)) return ms;
  throw mistake(`Expected --${option} to be a duration like 90s or 2h30m, ${spanText(span)}, got ${shown(text)}.`);
}

/** In epoch ms, or undefined when the option was not given. */
export function instant(args: Arguments, option: string): number | undefined {
  const text = args.options.get(option);
  if (text === undefined) return undefined;
  const at = parseInstant(text);
  if (at !== undefined) return at;
  throw mistake(`Expected --${option} to be an ISO 8601 time like 2026-01-31T09:00:00Z, got ${shown(text)}.`);
}

/** One of some words, or undefined when the option was not given. */
export function choice<Word extends string>(args: Arguments, option: string, words: readonly Word[]): Word | undefined {
  const text = args.options.get(option);
  if (text === undefined) return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  const hint = didYouMean(text, words);
  throw mistake(`Expected --${option} to be one of ${words.join(", ")}, got ${shown(text)}.`, hint);
}
