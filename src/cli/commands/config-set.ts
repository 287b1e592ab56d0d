import {
  CONFIG_KEYS,
  type ConfigKey,
  configFromEnvironment,
  DEFAULTS,
  isSecret,
  parseConfigKey,
  parseConfigValue,
  shownValue,
  variableOf,
} from "../../config.ts";
import { QueueError } from "../../job/errors.ts";
import { shown } from "../../job/shown.ts";
import { SETTINGS } from "../../settings.ts";
import type { Arguments, Command, Context } from "../command.ts";
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
    { name: "key", required: true, offer: { words: [...CONFIG_KEYS, "store"] } },
    { name: "value", required: false },
  ],
  options: [{ name: "unset", summary: "Go back to the default, instead of a value" }],
  examples: [
    "queuectl config-set max_retries 5",
    "queuectl config set backoff-base 3",
    "queuectl config-set --unset max_retries",
    `queuectl config-set on_dead 'echo "$JOB_ID: $JOB_ERROR" >> dead.txt'`,
    "queuectl config-set webhook_secret - < secret.txt",
    "queuectl config-set store postgres://queue@db.example.org/jobs",
  ],
  async run(context, args) {
    const unset = args.options.has("unset");
    const [word = ""] = args.words;
    const text = valueText(args);
    if (word === "store") return setStore(context, { text: text ?? "files", unset });
    const { store, output } = context;
    const key = parseConfigKey(word);
    const value = unset ? undefined : parseConfigValue(key, await givenText(key, text));
    await (await store()).setConfig(key, value);
    const now = value ?? DEFAULTS[key];
    await output.result({ view: "setting-changed", key, value: shownValue(key, now), unset });
    // Not asked of the store, where another setting may still be unreadable: this one is stored.
    const inForce = configFromEnvironment(context.env)[key] ?? now;
    if (inForce !== now) output.warn(`${variableOf(key)} overrides it here: ${key} is ${shownValue(key, inForce)}.`);
    return EXIT.ok;
  },
};

/** Undefined with --unset. */
function valueText({ words: [, value], options }: Arguments): string | undefined {
  if (options.has("unset")) {
    if (value === undefined) return undefined;
    throw new QueueError("E_USAGE", `--unset takes no value, got ${shown(value)}.`);
  }
  if (value !== undefined) return value;
  throw new QueueError("E_USAGE", "Missing <value>.", {
    hint: "Usage: queuectl config-set <key> <value>, or config-set --unset <key>",
  });
}

/** A dash stands for standard input; what is secret has to come from there, without its last newline. */
async function givenText(key: ConfigKey, text: string | undefined): Promise<string | undefined> {
  if (text === "-") return (await Bun.stdin.text()).replace(/\r?\n$/, "");
  if (!isSecret(key)) return text;
  throw new QueueError("E_USAGE", `${key} is not taken from the command line, where others can read it.`, {
    hint: `Give it on standard input: queuectl config-set ${key} - < file`,
  });
}

/** For all commands of this data directory. Workers that run already stay where they are. */
async function setStore({ choice, output }: Context, to: { text: string; unset: boolean }): Promise<number> {
  const chosen = await choice();
  const { store, left } = await chosen.choose(to.text);
  await output.result({ view: "store-changed", store, unset: to.unset });
  if (left > 0) {
    const stay = left === 1 ? "1 job stays" : `${left} jobs stay`;
    const back = `to go back to ${left === 1 ? "it" : "them"}: queuectl config-set store files`;
    output.warn(`${stay} in the files of ${chosen.directory}; ${back}`);
  }
  const inForce = await chosen.current();
  if (inForce !== store) output.warn(`QUEUECTL_STORE overrides it here: store is ${inForce}.`);
  return EXIT.ok;
}
