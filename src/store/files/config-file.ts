/** `config.json`: one flat object, replaced whole. Keys that this version does not know are kept. */
import { lstatSync } from "node:fs";
import { CONFIG_KEYS, type Config, type ConfigKey, parseConfigValue } from "../../config.ts";
import { QueueError } from "../../job/errors.ts";
import { shown } from "../../job/spec.ts";
import { replace } from "../local/durable.ts";
import { Corruption, corrupt, parseFile } from "./corruption.ts";
import { readText } from "./snapshot.ts";

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
    try {
      const { store } = this.#readRaw();
      return typeof store === "string" && store !== "" ? store : undefined;
    } catch (error) {
      if (!(error instanceof Corruption)) throw error;
      return undefined;
    }
  }

  /** Stores one value; to be called with the lock held. */
  set(key: ConfigKey, value: number): void {
    this.#replace({ ...this.#readRaw(), [key]: value });
  }

  /** Stores the address of the database that is to hold the queue, or none; to be called with the lock held. */
  setStore(store: string | undefined): void {
    this.#replace({ ...this.#readRaw(), store });
  }

  /** Keeps the settings that are sound; to be called with the lock held. */
  mend(): void {
    let raw: Record<string, unknown> = {};
    try {
      raw = this.#readRaw();
    } catch (error) {
      if (!(error instanceof Corruption)) throw error;
    }
    const sound = Object.entries(raw).filter(([key, value]) => this.#isSound(key, value));
    this.#replace(Object.fromEntries(sound));
  }

  #replace(settings: object): void {
    replace(this.#path, Buffer.from(`${JSON.stringify(settings)}\n`));
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

  #readRaw(): Record<string, unknown> {
    const text = readText(this.#path);
    if (text === undefined) return {};
    const value = parseFile(this.#path, text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw corrupt(this.#path, "expected a JSON object.", { line: 1 });
    }
    return value as Record<string, unknown>;
  }

  #check(raw: Record<string, unknown>): Partial<Config> {
    const { store = "" } = raw;
    if (typeof store !== "string") {
      const hint = "Set it anew: queuectl config-set store <url>, or files";
      throw corrupt(this.#path, `store must be an address, got ${shown(store)}.`, { hint });
    }
    const config: Partial<Record<ConfigKey, number>> = {};
    for (const key of CONFIG_KEYS) {
      if (raw[key] === undefined) continue;
      try {
        config[key] = parseConfigValue(key, raw[key]);
      } catch (cause) {
        if (!(cause instanceof QueueError)) throw cause;
        throw corrupt(this.#path, cause.message, { cause, hint: `Set it anew: queuectl config-set ${key} <value>` });
      }
    }
    return config;
  }
}
