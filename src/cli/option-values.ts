/** Turns the text of options into values. Each throws `E_USAGE` with the option, what it expects and what it got. */
import { didYouMean } from "../job/closest.ts";
import { shown } from "../job/shown.ts";
import type { Arguments } from "./command.ts";
import { mistake } from "./mistake.ts";

/** A whole number, or undefined when the option was not given. */
export function wholeNumber(args: Arguments, option: string, range: { min: number; max: number }): number | undefined {
  const text = args.options.get(option);
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= range.min && number <= range.max) return number;
  throw mistake(`Expected --${option} to be a whole number from ${range.min} to ${range.max}, got ${shown(text)}.`);
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
