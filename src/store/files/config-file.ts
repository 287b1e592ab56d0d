/**
 * `config.json`: one flat object, replaced whole. Keys that this version does not know are kept.
 *
 * Settings are in no journal that could tell who came too late, so a change keeps apart from others by itself, whatever
 * became of the lock: it writes its file under a temporary name, removes every other such file, looks whether
 * `config.json` still is what it started from, and only then renames. Of two that overlap, the later one to look for
 * others has either removed the other's file, or finds that other's settings in place; then it decides again.
 */
import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Config, type ConfigKey, type ConfigValue, parseConfig, parseConfigValue } from "../../config.ts";
import { reach } from "../../failpoint.ts";
import { QueueError } from "../../job/errors.ts";
import { shown } from "../../job/shown.ts";
import { namesIn, remove, rename, syncDirectory, writeNew } from "../local/durable.ts";
import { temporaryName } from "../local/temporary-name.ts";
import { Corruption, corrupt, parseFile } from "./corruption.ts";
import { readText } from "./snapshot.ts";

type Settings = Record<string, unknown>;

export class ConfigFile {
  readonly #path: string;
  #seen: { version: string; config: Partial<Config> } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What is stored; read again only when the file has changed. Throws `E_STORE_CORRUPT`. */
  read(): Partial<Config> {
    const stat = lstatSync(this.#path, { throwIfNoEntry: false });
    const version = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : "none";
    if (this.#seen?.version !== version) this.#seen = { version, config: stat ? this.#check(this.#readRaw()) : {} };
    return this.#seen.config;
  }

  /** The address of the database that holds the queue instead, where one is named. A file that is damaged names none. */
  store(): string | undefined {
    const { store } = this.#parseOr({}, readText(this.#path));
    return typeof store === "string" && store !== "" ? store : undefined;
  }

  /** Stores one value, or none; to be called with the lock held. */
  set(key: ConfigKey, value: ConfigValue | undefined): void {
    this.#change((settings) => ({ ...settings, [key]: value }));
  }

  /** Stores the address of the database that is to hold the queue, or none; to be called with the lock held. */
  setStore(store: string | undefined): void {
    this.#change((settings) => ({ ...settings, store }));
  }

  /** Keeps the settings that are sound; to be called with the lock held. */
  mend(): void {
    const sound = (settings: Settings): [string, unknown][] =>
      Object.entries(settings).filter(([key, value]) => this.#isSound(key, value));
    this.#change((settings) => Object.fromEntries(sound(settings)), {});
  }

  /** Changes what is stored; where that is damaged, changes `orElse` instead, or throws. */
  #change(change: (settings: Settings) => Settings, orElse?: Settings): void {
    for (let isDone = false; !isDone; ) {
      const text = readText(this.#path);
      reach("config-read");
      isDone = this.#exchange(text, change(orElse ? this.#parseOr(orElse, text) : this.#parse(text)));
    }
  }

  /** Puts the settings in the place of what is `before` there; false when another has been faster. */
  #exchange(before: string | undefined, settings: Settings): boolean {
    const temporary = temporaryName(this.#path);
    writeNew(temporary, [Buffer.from(`${JSON.stringify(settings)}\n`)], { write: "write-config", sync: "sync-config" });
    this.#removeOtherTemporaries(temporary);
    reach("compare-config");
    const isDone = readText(this.#path) === before && rename(temporary, this.#path, "rename-config");
    if (isDone) syncDirectory(dirname(this.#path));
    else remove(temporary);
    return isDone;
  }

  #removeOtherTemporaries(mine: string): void {
    reach("remove-other-configs");
    const directory = dirname(this.#path);
    const others = namesIn(directory).filter((name) => name.startsWith(`${basename(this.#path)}.tmp-`));
    for (const name of others) if (join(directory, name) !== mine) remove(join(directory, name));
  }

  #isSound(key: string, value: unknown): boolean {
    try {
      this.#check({ [key]: value });
      return true;
    } catch (error) {
      if (!(error instanceof Corruption)) throw error;
      return false;
    }
  }

  #readRaw(): Settings {
    return this.#parse(readText(this.#path));
  }

  #parseOr(settings: Settings, text: string | undefined): Settings {
    try {
      return this.#parse(text);
    } catch (error) {
      if (!(error instanceof Corruption)) throw error;
      return settings;
    }
  }

  #parse(text: string | undefined): Settings {
    if (text === undefined) return {};
    const value = parseFile(this.#path, text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw corrupt(this.#path, "expected a JSON object.", { line: 1 });
    }
    return value as Settings;
  }

  #check(raw: Settings): Partial<Config> {
    const { store = "" } = raw;
    if (typeof store !== "string") {
      const hint = "Set it anew: queuectl config-set store <url>, or files";
      throw corrupt(this.#path, `store must be an address, got ${shown(store)}.`, { hint });
    }
    return parseConfig(
      (key) => raw[key],
      (key, value) => {
        try {
          return parseConfigValue(key, value);
        } catch (cause) {
          if (!(cause instanceof QueueError)) throw cause;
          throw corrupt(this.#path, cause.message, { cause, hint: `Set it anew: queuectl config-set ${key} <value>` });
        }
      },
    );
  }
}
