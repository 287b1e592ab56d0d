import { parseConfigKey } from "../../config.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const configGet: Command = {
  name: "config-get",
  summary: "Show one setting, or all",
  arguments: [{ name: "key", required: false }],
  options: [],
  examples: ["queuectl config-get", "queuectl config-get max_retries", "queuectl config-get store"],
  async run({ store, choice, output }, { words }) {
    if (words[0] === "store") {
      output.result({ view: "store", store: await (await choice()).current() });
      return EXIT.ok;
    }
    const key = words[0] === undefined ? undefined : parseConfigKey(words[0]);
    const config = await (await store()).config();
    output.result(key === undefined ? { view: "config", config } : { view: "setting", key, value: config[key] });
    return EXIT.ok;
  },
};
