/** The words behind `bun run bench`. */

export interface Wishes {
  readonly names: readonly string[];
  readonly quick: boolean;
  /** Write the results although the run is a quick one. */
  readonly save: boolean;
}

const OPTIONS = ["--quick", "--save"];

/** All benchmarks when none is named; or a sentence about what is wrong. */
export function readCommandLine(
  words: readonly string[],
  known: readonly string[],
): Wishes | { readonly mistake: string } {
  const options = words.filter((word) => word.startsWith("-"));
  const names = words.filter((word) => !word.startsWith("-"));
  const unknownOption = options.find((option) => !OPTIONS.includes(option));
  if (unknownOption !== undefined) {
    return { mistake: `There is no option "${unknownOption}". There are: ${OPTIONS.join(", ")}.` };
  }
  const unknownName = names.find((name) => !known.includes(name));
  if (unknownName !== undefined) {
    return { mistake: `No benchmark is called "${unknownName}". There are: ${known.join(", ")}.` };
  }
  return {
    names: names.length === 0 ? known : known.filter((name) => names.includes(name)),
    quick: options.includes("--quick"),
    save: options.includes("--save"),
  };
}
