/** What `config-get` and `config-set` print. */
import { CONFIG_KEYS, type ConfigValue } from "../config.ts";
import { SETTINGS } from "../settings.ts";
import { escapeControls } from "./escape.ts";
import type { Screen } from "./human-views.ts";
import type { TracedSetting, View } from "./output.ts";
import { type Column, table } from "./table.ts";

export function configLines({ config }: Extract<View, { view: "config" }>, screen: Screen | undefined): string[] {
  const width = Math.max(...CONFIG_KEYS.map((key) => settingText(key, config[key]).length));
  return CONFIG_KEYS.map((key) => {
    const setting = settingText(key, config[key]);
    return screen ? `${setting.padEnd(width)}  ${screen.colours.dim(SETTINGS[key].meaning)}` : setting;
  });
}

export function changeLine(key: string, value: ConfigValue, unset = false): string {
  return `⚙️ Config updated: ${settingText(key, value)}${unset ? " (default)" : ""}`;
}

export function originLines(
  { settings }: Extract<View, { view: "origins" }>,
  screen: Screen | undefined,
): Iterable<string> {
  if (!screen)
    return settings.map((row) => `${settingText(row.key, row.value)} (${escapeControls(row.where ?? row.origin)})`);
  const columns: Column<TracedSetting>[] = [
    { title: "KEY", text: ({ key }) => key },
    { title: "VALUE", text: ({ value }) => String(value), flex: { min: 10, max: screen.width } },
    {
      title: "ORIGIN",
      text: ({ origin, where }) => where ?? origin,
      flex: { min: 20, max: screen.width },
      paint: (cell, { origin }) => (origin === "default" ? screen.colours.dim(cell) : cell),
    },
  ];
  return table(settings, columns, { width: screen.width, paintTitle: screen.colours.bold });
}

function settingText(key: string, value: ConfigValue): string {
  return value === "" ? `${key} =` : escapeControls(`${key} = ${value}`);
}
