/** The rules that the protocol consists of. Each can be left out, to see what it is there for. */

/** "All is well only because …", in the order in which a commit and then a checkpoint meet them. */
export const RULES = {
  "judge at": "a line that does not stand where it says is void",
  "judge prev": "a line that does not follow the last one that counts is damage",
  "close torn": "a torn line is closed by a newline before anything is appended",
  "read back": "what was appended is acknowledged only once it was found where it was meant to be",
  "end at checkpoint": "nothing counts after the checkpoint of a journal",
  "lease gate": "an attempt is ended only with the lease that its job has now",
  "lease is seq": "a lease is the sequence number of its claim",
  "end survivors": "what is left of an attempt is ended before its job is rescued",
  "forget void": "a state that was changed ahead of a commit is loaded anew when that is void",
  "commit first": "a checkpoint is committed before its snapshots are renamed into place",
  "write ahead": "the snapshots of a commit are written, under temporary names, before it",
  "name what holds":
    "queue.json names a dlq.json that was there before only if nothing died and nothing was put back since",
  fence: "the temporary snapshots of all others are removed before the renames",
  "dlq first": "dlq.json is renamed before queue.json",
  "journals last": "old journals are removed after the renames",
  "look again, following": "who goes on to the next journal looks whether the snapshots have passed that meanwhile",
  "look again, loading": "who has loaded the snapshots and their journal looks whether they are still there",
  "reach the place": "a journal that does not reach to where a snapshot stands is not its own",
  "yield to what is later": "snapshots that come later are put in place only as long as their generation is the latest",
  "renew what is there": "no snapshots are written within a generation whose own are still to come",
  "yield to a successor": "who finds commits in the journal that it is about to begin was only too late",
} as const;

export type Rule = keyof typeof RULES;

/** Whether a rule is obeyed: all are, but for the one that is left out. */
export type Obeys = (rule: Rule) => boolean;
