/** What a shell may put in the place of the word that is being typed. */
import { escapeControls } from "../../output/escape.ts";
import { cut } from "../../output/table.ts";
import type { KnownName, Wanted } from "../../store/known-names.ts";
import { type Commands, isOption } from "../argv.ts";
import type { Offer } from "../command.ts";
import type { TOPICS } from "../topics/all.ts";
import { TypedLine } from "./typed-line.ts";

/** Reads names in a store: that in this data directory, if one was named. */
export type NameReader = (dataDir: string | undefined, wanted: Wanted) => Promise<readonly KnownName[]>;

interface World {
  readonly commands: Commands;
  readonly topics: typeof TOPICS;
  readonly readNames: NameReader;
}

/** Who presses a key does not wait longer, and does not read more. */
const PATIENCE_MS = 1000;
const MAX_NAMES = 500;
const MAX_ABOUT = 60;

/**
 * For `words`, of which the last is being typed, a line each: what may stand there and, after a tab, what that is. A line
 * that begins with a tab asks for paths instead: `files` or `directories`.
 */
export async function offers(words: readonly string[], world: World): Promise<string[]> {
  const { commands, readNames } = world;
  const line = new TypedLine(commands);
  for (const word of words.slice(0, -1)) await line.take(word);
  const current = words.at(-1) ?? "";
  const lines = (offer: Offer | undefined, prefix: string) => offered(offer, prefix, { line, readNames });
  if (line.awaits) return lines(line.awaits.offer, current);
  if (!line.isDashed && current.startsWith("-")) {
    const [written = "", ...rest] = current.split("=");
    if (rest.length === 0) return optionLines(line, current);
    const option = line.options.find(({ name }) => written === `--${name}`);
    const values = await lines(option?.offer, rest.join("="));
    return values.map((value) => (value.startsWith("\t") ? value : `${written}=${value}`));
  }
  const { command } = line;
  if (!command) return nameLines(line, current, world);
  if (line.isHelp) return [];
  // The words of another program: most of what stands there is a file.
  if (line.isDashed && command.takesCommand) return lines({ paths: "files" }, current);
  const last = command.arguments.at(-1);
  return lines((command.arguments[line.words.length] ?? (last?.many ? last : undefined))?.offer, current);
}

function optionLines(line: TypedLine, prefix: string): string[] {
  return line.options
    .filter(({ name, many }) => `--${name}`.startsWith(prefix) && (many || !line.given.has(name)))
    .map(({ name, summary }) => `--${name}\t${summary}`);
}

async function nameLines({ group, isHelp }: TypedLine, prefix: string, { commands, topics }: World): Promise<string[]> {
  const begins = group === undefined ? "" : `${group}-`;
  const found = [...commands, ...(isHelp ? topics : [])].filter(([name]) => name.startsWith(begins + prefix));
  const lines = found.map(async ([name, load]) => `${name.slice(begins.length)}\t${(await load()).summary}`);
  const isFirst = group === undefined && !isHelp;
  const help = isFirst && "help".startsWith(prefix) ? ["help\tShow the help of a command, or of a topic"] : [];
  return [...(await Promise.all(lines)), ...help];
}

async function offered(
  offer: Offer | undefined,
  prefix: string,
  { line, readNames }: { line: TypedLine; readNames: NameReader },
): Promise<string[]> {
  if (offer === undefined) return [];
  if ("paths" in offer) return [`\t${offer.paths}`];
  if ("words" in offer) return offer.words.filter((word) => word.startsWith(prefix));
  const reading = readNames(line.given.get("data-dir"), { of: offer.names, prefix, limit: MAX_NAMES });
  const names = await Promise.race([reading, Bun.sleep(PATIENCE_MS).then(() => [])]);
  return names
    .filter(({ name }) => escapeControls(name) === name && !line.words.includes(name))
    .filter(({ name }) => line.isDashed || !isOption(name))
    .map(({ name, about }) => `${name}\t${cut(escapeControls(about), MAX_ABOUT)}`);
}
