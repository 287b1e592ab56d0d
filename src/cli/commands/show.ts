import { ANY_ID, type Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const show: Command = {
  name: "show",
  summary: "Show everything about a job, and where its output is",
  arguments: [{ name: "id", required: true, offer: ANY_ID }],
  options: [],
  examples: ["queuectl show p1", "queuectl show p1 --json | jq .job.state", "queuectl show -- -id-with-a-dash"],
  async run({ store, output, now }, { words }) {
    const id = words[0] ?? "";
    const opened = await store();
    const entry = await opened.get(id);
    await output.result({ view: "entry", entry, logs: await opened.logs(id), now: now() });
    return EXIT.ok;
  },
};
