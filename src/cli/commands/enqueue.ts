import { parseJobSpec } from "../../job/spec.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const enqueue: Command = {
  name: "enqueue",
  summary: "Add a job, given as JSON",
  details: {
    title: "Fields of a job",
    lines: [
      "command      What /bin/sh -c runs (required)",
      "id           A name of your own (default: one is made up)",
      "run_at       Not before: epoch milliseconds or ISO 8601 (default: now)",
      "max_retries  Retries after the first attempt (default: the setting)",
      "priority     -1000 to 1000, higher runs first (default: 0)",
    ],
  },
  arguments: [{ name: "json", required: true }],
  options: [],
  examples: [
    `queuectl enqueue '{"id":"p1","command":"echo hi"}'`,
    `queuectl enqueue '{"command":"make test","max_retries":0}'`,
    `queuectl enqueue '{"command":"./nightly.sh","run_at":"2026-01-31T02:00:00Z"}'`,
  ],
  async run({ store, output }, { words }) {
    const spec = parseJobSpec(words[0] ?? "");
    for (const job of await (await store()).enqueue([spec])) output.result({ view: "enqueued", job });
    return EXIT.ok;
  },
};
