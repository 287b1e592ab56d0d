/** Checks scenarios. Run by hand, `bun tests/model/check.ts` checks the deep ones too, and says how many states there are. */
import { explore, type Found } from "./explore.ts";
import { invariants } from "./invariants.ts";
import { modelOf } from "./model.ts";
import type { Rule } from "./rules.ts";
import { DEEP, SCENARIOS } from "./scenarios.ts";
import type { Scenario } from "./world.ts";

/** Tries everything that can happen in a scenario, with all rules obeyed or without one. */
export function check(scenario: Scenario, without?: Rule): Found {
  const obeys = (rule: Rule): boolean => rule !== without;
  return explore({ ...modelOf(scenario, obeys), wrong: invariants(Object.values(scenario.writers), obeys) });
}

/** "sound", or what goes wrong and how it comes to that, a step a line. */
export function inWords({ failure }: Found): string {
  return failure ? [...failure.schedule, failure.wrong].join("\n") : "sound";
}

if (import.meta.main) {
  for (const [name, scenario] of Object.entries<Scenario>({ ...SCENARIOS, ...DEEP })) {
    const started = performance.now();
    const found = check(scenario);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${inWords(found)}, ${found.states} states in ${seconds} s`);
  }
}
