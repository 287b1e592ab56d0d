import { parseScheduleName } from "../../job/schedule.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const scheduleRemove: Command = {
  name: "schedule-remove",
  summary: "Remove a schedule; the jobs that it gave stay",
  arguments: [{ name: "name", required: true, offer: { names: "schedules" } }],
  options: [],
  examples: ["queuectl schedule-remove nightly"],
  async run({ store, output }, { words }) {
    const name = parseScheduleName(words[0] ?? "");
    await (await store()).schedules.remove(name);
    await output.result({ view: "schedule-removed", name });
    return EXIT.ok;
  },
};
