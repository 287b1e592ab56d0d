/** What the runner of GitHub Actions takes from the lines that a step prints: its own rules, as far as they matter here. */

interface Annotation {
  readonly level: string;
  readonly title: string;
  readonly message: string;
}

interface Taken {
  readonly annotations: Annotation[];
  /** By title, the lines in each. */
  readonly groups: Record<string, string[]>;
  /** Commands that are none of those. */
  readonly others: string[];
}

export function takeCommands(printed: string): Taken {
  const taken: Taken = { annotations: [], groups: {}, others: [] };
  let stopped: string | undefined;
  let group: string[] | undefined;
  for (const line of printed.split("\n")) {
    const [, command = "", properties = "", message = ""] = /^\s*::([\w-]+)(?: (.*?))?::(.*)$/.exec(line) ?? [];
    if (stopped !== undefined) {
      if (command === stopped) stopped = undefined;
      else group?.push(line);
    } else if (command === "stop-commands") stopped = message;
    else if (command === "group") taken.groups[data(message)] = group = [];
    else if (command === "endgroup") group = undefined;
    else if (command === "error" || command === "warning") {
      const title = /(?:^|,)title=([^,]*)/.exec(properties)?.[1] ?? "";
      taken.annotations.push({ level: command, title: property(title), message: data(message) });
    } else if (command !== "" || line.includes("##[")) taken.others.push(line);
    else group?.push(line);
  }
  if (stopped !== undefined) taken.others.push("commands are stopped for ever");
  return taken;
}

function data(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function property(text: string): string {
  return data(text.replaceAll("%3A", ":").replaceAll("%2C", ","));
}
