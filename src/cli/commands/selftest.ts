import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { wholeNumber } from "../option-values.ts";

const DEFAULTS = { jobs: 50, crash: 20 };

export const selftest: Command = {
  name: "selftest",
  summary: "Torture a queue of its own on this disk, and prove that nothing is lost",
  arguments: [],
  options: [
    { name: "jobs", value: "n", summary: `How many jobs (default: ${DEFAULTS.jobs})` },
    {
      name: "crash",
      value: "n",
      summary: `How many processes are killed, frozen or stopped (default: ${DEFAULTS.crash})`,
    },
    { name: "seed", value: "n", summary: "Repeat the jobs and faults of an earlier one" },
    {
      name: "dir",
      value: "dir",
      offer: { paths: "directories" },
      summary: "On the disk of this folder (default: the current one)",
    },
  ],
  examples: [
    "queuectl selftest",
    "queuectl selftest --jobs 500 --crash 200 --dir /mnt/data",
    "queuectl selftest --seed 4711",
  ],
  async run({ output, now, storeIn, doctorIn }, args) {
    const jobs = wholeNumber(args, "jobs", { min: 1, max: 100_000 }) ?? DEFAULTS.jobs;
    const faults = wholeNumber(args, "crash", { min: 0, max: 100_000 }) ?? DEFAULTS.crash;
    const seed = wholeNumber(args, "seed", { min: 0, max: 2 ** 32 - 1 }) ?? now() % 2 ** 32;
    const { Playground } = await import("../../selftest/playground.ts");
    const { torture } = await import("../../selftest/torture.ts");
    using playground = new Playground(args.options.get("dir") ?? ".");
    const { directory, stop } = playground;
    const started = now();
    const verdict = await torture({
      ...{ jobs, faults, seed, directory, stop },
      openStore: storeIn,
      openDoctor: doctorIn,
      onProgress: (ended) => {
        const done = ended.jobs + ended.faults;
        const of = jobs + faults;
        output.progress({ done, of, text: `${done} of ${of}, seed ${seed}` });
      },
    });
    output.progress(undefined);
    if (!verdict) return EXIT.interrupted;
    const hasHeld = verdict.violations.length === 0;
    if (!hasHeld) playground.keep();
    await output.result({ view: "verdict", verdict, ms: now() - started, evidence: hasHeld ? undefined : directory });
    return hasHeld ? EXIT.ok : EXIT.failure;
  },
};
