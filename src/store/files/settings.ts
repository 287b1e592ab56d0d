/** The settings in force: what `config.json` holds, under what this process says itself. They follow changes by others. */
import { type Config, resolveConfig } from "../../config.ts";
import type { ConfigFile } from "./config-file.ts";

export class Settings {
  readonly #file: ConfigFile;
  readonly #overrides: Partial<Config>;
  #known: { readonly stored: Partial<Config>; readonly config: Config } | undefined;

  constructor(file: ConfigFile, overrides: Partial<Config>) {
    this.#file = file;
    this.#overrides = overrides;
  }

  /** Asked for at every end of a job, so made anew only when the file has changed. Throws `E_STORE_CORRUPT`. */
  current(): Config {
    const stored = this.#file.read();
    if (this.#known?.stored !== stored) this.#known = { stored, config: resolveConfig(stored, this.#overrides) };
    return this.#known.config;
  }
}
