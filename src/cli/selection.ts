/** Which jobs or dead letters a command line means: by name, or all of those that something is true of. */
import { notInDlq } from "../job/control.ts";
import { QueueError } from "../job/errors.ts";
import { type Entry, isDeadLetter, isIn, type JobState } from "../job/job.ts";
import { shown } from "../job/shown.ts";
import type { Store } from "../store/store.ts";
import type { Arguments, OptionSpec } from "./command.ts";
import { matchFilter } from "./job-filter.ts";
import { mistake } from "./mistake.ts";
import { choice } from "./option-values.ts";

/** Named, each by its whole id or some by less; or found, by a condition that may not hold any more when something is done. */
export type Selection =
  | { readonly by: "id" | "less"; readonly entries: readonly Entry[] }
  | { readonly by: "condition"; readonly entries: readonly Entry[]; readonly holds: (entry: Entry) => boolean };

/** What a condition chooses from: jobs in these states, or the dead letters. A name may mean anything, or a dead letter. */
export type Pool = readonly JobState[] | "dlq";

/** For the help. */
export const ABOUT_ID = "<id> is an id, its beginning if no other begins so, or last: what came last.";

export const SELECTORS = {
  title: "Which jobs",
  lines: [
    ABOUT_ID,
    "In --match, * is any text, ? any character; a backslash quotes one.",
    "Unless all ids are whole, and before anything is removed, you are asked.",
  ],
} as const;

export const MATCH: OptionSpec = {
  name: "match",
  value: "glob",
  summary: "All whose id or command is like this: build-*",
};

/** All of one of these states. */
export function stateOption(states: readonly JobState[], all = "All"): OptionSpec {
  return {
    name: "state",
    value: "state",
    offer: { words: states },
    summary: `${all} in this state: ${states.join(", ")}`,
  };
}

const SHOWN_AT_MOST = 5;

/** Throws `E_JOB_NOT_FOUND`, and `E_USAGE` where it is not clear which are meant. */
export async function select(store: Store, args: Arguments, pool: Pool): Promise<Selection> {
  const { words, options } = args;
  const isByCondition = ["all", "match", "state"].some((name) => options.has(name));
  if (isByCondition && words.length > 0) {
    throw mistake(`Name them by their ids or say which by options, not both: got ${shown(words[0])}.`);
  }
  if (isByCondition) return found(store, args, pool);
  if (words.length === 0) throw mistake("Missing <id>.", "Which jobs are meant? See --help.");
  const named = new Map<string, Entry>();
  let by: "id" | "less" = "id";
  for (const word of words) {
    const entry = await find(store, word, pool);
    if (entry.id !== word) by = "less";
    named.set(entry.id, entry);
  }
  return { entries: [...named.values()], by };
}

async function found(store: Store, args: Arguments, pool: Pool): Promise<Selection> {
  const matches = matchFilter(args.options.get("match") ?? "*");
  if (pool === "dlq") {
    const holds = (entry: Entry): boolean => isDeadLetter(entry) && matches(entry);
    return { by: "condition", entries: (await store.deadLetters()).filter(holds), holds };
  }
  const state = choice(args, "state", pool);
  const states = state === undefined ? pool : [state];
  const holds = (entry: Entry): boolean => states.some((one) => isIn(entry, one)) && matches(entry);
  return { by: "condition", entries: (await store.list(state)).filter(holds), holds };
}

/** An id that is taken means what has it, whatever else it may look like. */
async function find(store: Store, word: string, pool: Pool): Promise<Entry> {
  const entry = await getOrWhyNot(store, word);
  if (entry instanceof QueueError) {
    const meant = await abbreviated(store, word, pool);
    if (meant === undefined) throw pool === "dlq" ? notInDlq(word) : entry;
    return meant;
  }
  if (pool === "dlq" && !isDeadLetter(entry)) throw notInDlq(word);
  return entry;
}

async function getOrWhyNot(store: Store, id: string): Promise<Entry | QueueError> {
  try {
    return await store.get(id);
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_JOB_NOT_FOUND") return error;
    throw error;
  }
}

async function abbreviated(store: Store, word: string, pool: Pool): Promise<Entry | undefined> {
  const jobs = pool === "dlq" ? [] : await store.list();
  const dead = await store.deadLetters();
  if (word === "last") return pool === "dlq" ? dead.at(-1) : jobs.at(-1);
  const found = [...jobs, ...dead].filter(({ id }) => word !== "" && id.startsWith(word));
  if (found.length < 2) return found[0];
  const ids = found.slice(0, SHOWN_AT_MOST).map(({ id }) => id);
  const rest = found.length > ids.length ? ` and ${found.length - ids.length} more` : "";
  throw mistake(`${shown(word)} begins more than one id: ${ids.join(", ")}${rest}.`);
}
