/** Whether a schema still is what the migrations made: by what they were when they were applied, and by what was made. */
import type { Finding } from "../../doctor.ts";
import type { Described } from "../catalog.ts";
import { type Applied, MIGRATIONS, sumOf } from "../migrations.ts";

/** What differs between the schema as it is and as the applied migrations made it. */
export function drift(applied: readonly Applied[], is: readonly Described[]): Finding[] {
  return [...foreignMigrations(applied), ...changes(applied, is)];
}

/** A migration of this program that was something else when it was applied. */
function foreignMigrations(applied: readonly Applied[]): Finding[] {
  return MIGRATIONS.filter(({ number, sql }) => applied.some((one) => one.number === number && one.sum !== sumOf(sql)))
    .map(({ name }) => ({ path: `migration ${name}`, problem: "what was applied here is not what this queuectl has." }))
    .map(concern);
}

function changes(applied: readonly Applied[], is: readonly Described[]): Finding[] {
  const was = new Map((applied.at(-1)?.made ?? []).map((one) => [keyOf(one), one]));
  const now = new Map(is.map((one) => [keyOf(one), one]));
  const makers = makersOf(applied);
  const missing = [...was].filter(([key]) => !now.has(key));
  const tables = new Set(missing.filter(([, one]) => isTable(one)).map(([, { part_of }]) => part_of));
  const lost = missing
    .filter(([, one]) => isTable(one) || !tables.has(one.part_of))
    .map(([key, one]) => damage(lossOf(one, makers.get(key))));
  const changed = [...was]
    .filter(([key, { text }]) => now.has(key) && now.get(key)?.text !== text)
    .map(([key, one]) => damage(changeOf(one, { text: now.get(key)?.text ?? "", maker: makers.get(key) })));
  const parts = new Set([...was.values()].map(({ part_of }) => part_of));
  const added = is.filter((one) => !was.has(keyOf(one)) && parts.has(one.part_of)).map(additionOf);
  return [...lost, ...changed, ...added];
}

/** By key, the migration that made each thing as it is to be. */
function makersOf(applied: readonly Applied[]): Map<string, string> {
  const makers = new Map<string, { name: string; text: string }>();
  for (const { name, made } of applied) {
    for (const one of made) {
      if (makers.get(keyOf(one))?.text !== one.text) makers.set(keyOf(one), { name, text: one.text });
    }
  }
  return new Map(Array.from(makers, ([key, { name }]) => [key, name]));
}

/** Names of triggers and constraints are a table's own. */
function keyOf({ object, part_of }: Described): string {
  return `${object} of ${part_of}`;
}

function lossOf({ object, text }: Described, maker = "a migration"): Problem {
  const how = object.startsWith("index ") ? ` Make it anew: ${text};` : ` ${maker} made it.`;
  return { path: object, problem: `it is missing.${how}` };
}

function changeOf(
  { object, text: was }: Described,
  { text, maker }: { text: string; maker: string | undefined },
): Problem {
  const how = object.startsWith("function ") ? "" : ` It is ${shown(text)}, and was ${shown(was)}.`;
  return { path: object, problem: `it is not what ${maker} made.${how}` };
}

/** What is new may keep jobs out or change them; one thing does for certain. */
function additionOf({ object, part_of, text }: Described): Finding {
  const isDemanding =
    object.startsWith("column ") && text.includes(" not null") && !/ (?:default|generated) /.test(text);
  if (isDemanding)
    return damage({ path: object, problem: "it is new, and nothing can be added without a value for it." });
  const of = /^(?:index|constraint|trigger) /.test(object) ? ` on ${part_of}` : "";
  return concern({ path: object, problem: `it is new${of}, and no migration made it.` });
}

function isTable({ object }: Described): boolean {
  return object.startsWith("table ");
}

function shown(text: string): string {
  return text === "" ? "plain" : text;
}

type Problem = Pick<Finding, "path" | "problem">;

function damage(problem: Problem): Finding {
  return { severity: "damage", ...problem, jobs: [] };
}

function concern(problem: Problem): Finding {
  return { severity: "concern", ...problem, jobs: [] };
}
