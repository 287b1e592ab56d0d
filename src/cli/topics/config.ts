import { CONFIG_KEYS } from "../../config.ts";
import { SETTINGS, type Setting } from "../../settings.ts";
import { explained, type Topic } from "./topic.ts";

export const config: Topic = {
  summary: "The settings, and who says what they are",
  sections: [
    {
      title: "Settings",
      lines: explained([
        ...CONFIG_KEYS.map((key) => {
          const setting = SETTINGS[key];
          return [key, `${setting.meaning} (${rangeOf(setting)})`] as const;
        }),
        ["store", "where the queue is (files; or postgres://user@host:5432/database?schema=name)"],
      ]),
    },
    {
      title: "Who wins",
      lines: explained([
        ["variable", "QUEUECTL_MAX_RETRIES and its like, for one process; QUEUECTL_STORE for the store"],
        ["stored", "what queuectl config-set stored: in config.json, or in the database with the queue"],
        ["default", "until something is stored, and again after queuectl config-set --unset"],
      ]),
    },
    {
      title: "To see it",
      lines: ["queuectl config-get --show-origin"],
    },
  ],
};

function rangeOf(setting: Setting): string {
  if (setting.kind === "number") return `${setting.default}; ${setting.min} to ${setting.max}`;
  return setting.kind === "switch" ? `${setting.default}; true or false` : "none";
}
