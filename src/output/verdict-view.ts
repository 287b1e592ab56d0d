/** What `selftest` found out, in one paragraph. */
import { escapeControls } from "./escape.ts";
import type { View } from "./output.ts";
import { count } from "./worker-log.ts";

const MAX_TOLD = 20;

export function verdictLines({ verdict, ms, evidence }: Extract<View, { view: "verdict" }>): string[] {
  const { seed, jobs, attempts, struck, violations } = verdict;
  const kills = count(struck.SIGKILL, "kill -9", "times kill -9");
  const freezes = count(struck.SIGSTOP, "freeze", "freezes");
  const requests = count(struck.SIGTERM + struck.SIGINT + struck.SIGQUIT, "request to leave", "requests to leave");
  const broken = (rule: string): number => violations.filter((violation) => violation.rule === rule).length;
  const story = [
    `Seed ${seed}: ${count(jobs.acknowledged, "job was", "jobs were")} acknowledged and made ${count(attempts, "attempt", "attempts")}`,
    `under ${kills}, ${freezes} and ${requests}, in ${(ms / 1000).toFixed(1)} s.`,
    `In the end ${jobs.completed} were completed and ${jobs.dead} in the dead letter queue;`,
    `${broken("lost")} lost, ${broken("overlap")} overlapping, ${broken("uncounted")} uncounted, ${broken("lease")} with a wrong lease,`,
    `${broken("stranger")} from nowhere, ${broken("leftover")} left behind, ${broken("damage")} damaged.`,
  ].join(" ");
  if (evidence === undefined) return ["Every promise was kept.", story];
  const told = violations.slice(0, MAX_TOLD).map(({ what }) => `✗ ${escapeControls(what)}`);
  const rest = violations.length > MAX_TOLD ? [`and ${violations.length - MAX_TOLD} more.`] : [];
  return ["A promise was broken.", story, ...told, ...rest, `Everything is kept in ${escapeControls(evidence)}`];
}
