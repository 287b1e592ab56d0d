import { CONFIG_KEYS, type Config, type ConfigKey, originsOf, parseConfigKey, shownValue } from "../../config.ts";
import type { TracedSetting } from "../../output/output.ts";
import type { Command, Context } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const configGet: Command = {
  name: "config-get",
  summary: "Show one setting, or all",
  arguments: [{ name: "key", required: false, offer: { words: [...CONFIG_KEYS, "store"] } }],
  options: [
    { name: "show-origin", summary: "With where each value comes from, and the store too" },
    { name: "reveal", summary: "Show what is secret, too" },
  ],
  examples: [
    "queuectl config-get",
    "queuectl config-get max_retries",
    "queuectl config-get store",
    "queuectl config-get --show-origin",
    "queuectl config-get webhook_secret --reveal",
  ],
  async run(context, { words: [word], options }) {
    const { store, choice, output } = context;
    const reveal = options.has("reveal");
    const key = word === undefined || word === "store" ? word : parseConfigKey(word);
    if (options.has("show-origin")) {
      await output.result({ view: "origins", settings: await traced(context, { key, reveal }) });
    } else if (key === "store") {
      await output.result({ view: "store", store: await (await choice()).current() });
    } else {
      const config = shownConfig(await (await store()).config(), reveal);
      await output.result(
        key === undefined ? { view: "config", config } : { view: "setting", key, value: config[key] },
      );
    }
    return EXIT.ok;
  },
};

/** One of them, or all. What is asked about the store alone is answered without opening it. */
async function traced(
  context: Context,
  { key, reveal }: { key: ConfigKey | "store" | undefined; reveal: boolean },
): Promise<TracedSetting[]> {
  if (key === "store") return [await tracedStore(context)];
  const settings = await tracedSettings(context, reveal);
  return key === undefined ? [...settings, await tracedStore(context)] : settings.filter((one) => one.key === key);
}

async function tracedSettings({ store }: Context, reveal: boolean): Promise<TracedSetting[]> {
  const opened = await store();
  const config = shownConfig(await opened.config(), reveal);
  const origins = originsOf(await opened.configSources());
  return CONFIG_KEYS.map((key) => ({ key, value: config[key], ...origins[key] }));
}

async function tracedStore({ choice }: Context): Promise<TracedSetting> {
  const chosen = await choice();
  return { key: "store", value: await chosen.current(), ...chosen.origin() };
}

function shownConfig(config: Config, reveal: boolean): Config {
  if (reveal) return config;
  return Object.fromEntries(CONFIG_KEYS.map((key) => [key, shownValue(key, config[key])])) as Config;
}
