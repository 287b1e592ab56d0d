/**
 * The protocol of the files store, tried in everything that can happen to a few writers (model.ts); and without each of
 * its rules in turn, to see that the check would notice.
 */
import { describe, expect, test } from "bun:test";
import { check, inWords } from "./check.ts";
import { RULES, type Rule } from "./rules.ts";
import { DEEP, SCENARIOS, type ScenarioName } from "./scenarios.ts";

describe("nothing goes wrong, whatever happens, when", () => {
  test.each(Object.entries(SCENARIOS))("%s", (_, scenario) => {
    expect(inWords(check(scenario))).toBe("sound");
  });
});

const ALL = { ...SCENARIOS, ...DEEP };

/** Where each rule is missed, and what goes wrong then. */
const MISSED: readonly [Rule, ScenarioName, string][] = [
  ["judge at", "two workers want the same job", "damage: a line does not follow the one before it"],
  ["judge prev", "a line is damaged", "nobody is told of the damage"],
  ["close torn", "two workers want the same job", "What was acknowledged is not there any more"],
  ["read back", "two workers want the same job", "What was acknowledged is not there any more"],
  ["lease gate", "a worker dies and two others rescue its job", "its lease was 4"],
  ["lease is seq", "a job is handed back and claimed again", "the lease 1 was given out again"],
  ["end survivors", "a worker dies and two others rescue its job", "Two attempts of a run at a time"],
  ["forget void", "two writers change a store at rest", "not what the commits add up to"],
  ["commit first", "two writers make checkpoints", "the files beside it are not its own"],
  ["write ahead", "two writers make checkpoints", "the files beside it are not its own"],
  ["name what holds", "a job dies, and a store at rest is changed", "not what the commits add up to"],
  ["reach the place", "somebody looks while snapshots are written within a generation", "does not show what was"],
  ["fence", "two writers make checkpoints", "journal 2 is missing"],
  ["dlq first", "a job dies during a checkpoint", "finds a in neither"],
  ["journals last", "two writers make checkpoints", "journal 1 is missing"],
  ["look again, following", "two writers make checkpoints", "What was acknowledged is not there any more"],
  ["look again, loading", "somebody looks while two writers make checkpoints", "C does not show what was acknowledged"],
  ["yield to what is later", "snapshots come later than others", "finds a in neither"],
  ["renew what is there", "snapshots come later than others", "finds a in neither"],
  ["yield to a successor", "two writers make checkpoints", "holds commits before it has begun"],
];

describe("something goes wrong unless", () => {
  test.each(MISSED.map(([rule, ...missed]) => [RULES[rule], rule, ...missed] as const))(
    "%s",
    (_, rule, name, wrong) => {
      expect(inWords(check(ALL[name], rule))).toContain(wrong);
    },
  );
});

/** What other rules take care of, as long as nothing damages the files. Each guards against a mistake in those. */
const IMPLIED: readonly [string, Rule, ScenarioName][] = [
  // A writer that has not seen the checkpoint has not counted its place either.
  ["`at` keeps late lines behind a checkpoint from counting", "end at checkpoint", "two writers make checkpoints"],
  // Who knows where a journal ends has read it, and all read it alike.
  ["a line at its right place follows the right one", "judge prev", "two workers want the same job"],
  ["the same goes for checkpoints", "judge prev", "two writers make checkpoints"],
];

test.each(IMPLIED)("%s", (_, rule, name) => {
  expect(inWords(check(ALL[name], rule))).toBe("sound");
});

test("what goes wrong is told a step a line, and by one of the shortest ways to it", () => {
  expect(inWords(check(SCENARIOS["two workers want the same job"], "read back"))).toMatchInlineSnapshot(`
    "  1. A takes the lock, reads journal 1 to place 1 and decides: "a claimed (lease 2)", meant for place 1
      2. B steals the lock of A, reads journal 1 to place 1 and decides: "a claimed (lease 2)", meant for place 1
      3. A appends "a claimed (lease 2)", meant for place 1
      4. B appends "a claimed (lease 2)", meant for place 1
    What was acknowledged is not there any more."
  `);
});
