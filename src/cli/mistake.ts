import { QueueError } from "../job/errors.ts";

/** What is wrong with what was typed, and how to type it. */
export function mistake(sentence: string, hint?: string): QueueError {
  return new QueueError("E_USAGE", sentence, hint === undefined ? {} : { hint });
}
