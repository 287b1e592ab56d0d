/**
 * What the commands have in common that change jobs which a person names or describes: what cannot be done is said before
 * anything is asked, and a person is asked before more is done than was named, or before something is removed.
 */
import { type Alteration, alterationsOf, type Rule, wherePossible } from "../job/alteration.ts";
import { QueueError } from "../job/errors.ts";
import { type Entry, isDeadLetter, isIn } from "../job/job.ts";
import type { UnfinishedJob } from "../job/key.ts";
import { escapeControls } from "../output/escape.ts";
import type { Store } from "../store/store.ts";
import type { Arguments, Context, OptionSpec } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { type Pool, type Selection, select } from "./selection.ts";

export interface Wish {
  readonly pool: Pool;
  readonly rule: Rule;
  /** As in "Remove job p1?" */
  readonly verb: string;
}

export const YES: OptionSpec = { name: "yes", short: "y", summary: "Do not ask" };
export const DRY_RUN: OptionSpec = { name: "dry-run", summary: "Only say what would be done" };

/** Jobs that a condition holds for are changed so many at a time: they are not all or none. */
const AT_A_TIME = 1000;

/** Returns the exit code. */
export async function alterSelected(context: Context, args: Arguments, wish: Wish): Promise<number> {
  const { output, now } = context;
  const store = await context.store();
  const selection = await select(store, args, wish.pool);
  const planned = await plan(store, selection, { rule: wish.rule, now: now() });
  const dryRun = args.options.has("dry-run");
  if (!(await isWanted(context, args, { selection, verb: wish.verb, planned }))) return EXIT.failure;
  const done = dryRun ? planned : await alter(store, selection, wish.rule);
  await output.result({ view: "altered", done, dryRun });
  return EXIT.ok;
}

/** What would be done to them as they are now. Throws what the rule refuses of what was named. */
export async function plan(
  store: Store,
  { entries, by }: Selection,
  { rule, now }: { rule: Rule; now: number },
): Promise<Alteration[]> {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const holders = new Map<string | undefined, UnfinishedJob>();
  // Only where it matters: of a large queue in a database that takes a while.
  const others = entries.some(({ key }) => key !== undefined) ? await store.list() : [];
  for (const job of others) if (isIn(job, "pending") || isIn(job, "processing")) holders.set(job.key, job);
  const applied = by === "condition" ? wherePossible(rule) : rule;
  return alterationsOf([...byId.keys()], applied, {
    now,
    entryOf: (id) => byId.get(id),
    keyHolder: (key) => holders.get(key),
  });
}

/** All or none of what was named; of what was found, that for which the condition still holds. */
export async function alter(store: Store, selection: Selection, rule: Rule): Promise<Alteration[]> {
  const ids = selection.entries.map(({ id }) => id);
  if (selection.by !== "condition") return store.alter(ids, rule);
  const possible = wherePossible(rule);
  const applied: Rule = (entry, circumstances) =>
    entry && selection.holds(entry) ? possible(entry, circumstances) : undefined;
  const done: Alteration[] = [];
  for (let at = 0; at < ids.length; at += AT_A_TIME) {
    done.push(...(await store.alter(ids.slice(at, at + AT_A_TIME), applied)));
  }
  return done;
}

/** Asks where that is due: whether it is wanted. Throws `E_USAGE` where nobody can be asked. */
export async function isWanted(
  { ask, output }: Context,
  { options }: Arguments,
  { selection, verb, planned }: { selection: Selection; verb: string; planned: readonly unknown[] },
): Promise<boolean> {
  if (planned.length === 0 && selection.by === "condition") output.note("There is nothing to do.");
  const isDue = planned.length > 0 && (verb === "Remove" || selection.by !== "id");
  if (!isDue || options.has("yes") || options.has("dry-run")) return true;
  const answer = await ask(question(verb, selection.entries));
  if (answer === undefined) {
    throw new QueueError("E_USAGE", "Nobody can be asked here.", { hint: "To do it without being asked: --yes" });
  }
  if (!answer) output.note("Nothing was changed.");
  return answer;
}

function question(verb: string, entries: readonly Entry[]): string {
  const [one, ...more] = entries;
  if (one && more.length === 0) return `${verb} job ${escapeControls(one.id)}?`;
  return `${verb} ${entries.length} ${entries.every(isDeadLetter) ? "dead letters" : "jobs"}?`;
}
