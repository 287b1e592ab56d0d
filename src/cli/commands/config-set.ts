import { CONFIG_KEYS, parseConfigKey, parseConfigValue, SETTINGS } from "../../config.ts";
import type { Command, Context } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const configSet: Command = {
  name: "config-set",
  summary: "Change a setting; running workers follow at once",
  details: {
    title: "Settings",
    lines: [
      ...CONFIG_KEYS.map((key) => `${key.padEnd(17)}  ${SETTINGS[key].meaning}`),
      "store              where the queue is: files, or postgres://user@host:5432/database",
    ],
  },
  arguments: [
    { name: "key", required: true },
    { name: "value", required: true },
  ],
  options: [],
  examples: [
    "queuectl config-set max_retries 5",
    "queuectl config set backoff-base 3",
    "queuectl config-set store postgres://queue@db.example.org/jobs",
  ],
  async run(context, { words }) {
    if (words[0] === "store") return setStore(context, words[1] ?? "");
    const { store, output } = context;
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

/** For all commands of this data directory. Workers that run already stay where they are. */
async function setStore({ choice, output }: Context, text: string): Promise<number> {
  const chosen = await choice();
  const { store, left } = await chosen.choose(text);
  output.result({ view: "store-changed", store });
  if (left > 0) {
    const stay = left === 1 ? "1 job stays" : `${left} jobs stay`;
    const back = `to go back to ${left === 1 ? "it" : "them"}: queuectl config-set store files`;
    output.warn(`${stay} in the files of ${chosen.directory}; ${back}`);
  }
  const inForce = await chosen.current();
  if (inForce !== store) output.warn(`QUEUECTL_STORE overrides it here: store is ${inForce}.`);
  return EXIT.ok;
}
