import type { Output } from "./output.ts";
import { processSinks } from "./sink.ts";

/** The output of this process. Only the form that is asked for is loaded. */
export async function openOutput(options: {
  json: boolean;
  env: Readonly<Record<string, string | undefined>>;
}): Promise<Output> {
  if (options.json) return new (await import("./json.ts")).JsonOutput(processSinks());
  const [{ openHumanOutput }, { detectTerminal }] = await Promise.all([import("./human.ts"), import("./terminal.ts")]);
  return openHumanOutput(processSinks(), await detectTerminal(options.env));
}
