import { CONFIG_KEYS, parseConfigKey, parseConfigValue, SETTINGS } from "../../config.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const configSet: Command = {
  name: "config-set",
  summary: "Change a setting; running workers follow at once",
  details: { title: "Settings", lines: CONFIG_KEYS.map((key) => `${key.padEnd(17)}  ${SETTINGS[key].meaning}`) },
  arguments: [
    { name: "key", required: true },
    { name: "value", required: true },
  ],
  options: [],
  examples: ["queuectl config-set max_retries 5", "queuectl config set backoff-base 3"],
  async run({ store, output }, { words }) {
    const key = parseConfigKey(words[0] ?? "");
    const value = parseConfigValue(key, words[1]);
    const opened = await store();
    await opened.setConfig(key, value);
    output.result({ view: "setting-changed", key, value });
    const inForce = (await opened.config())[key];
    if (inForce !== value) output.warn(`QUEUECTL_${key.toUpperCase()} overrides it here: ${key} is ${inForce}.`);
    return EXIT.ok;
  },
};
