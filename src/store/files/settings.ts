/** The settings in force: what `config.json` holds, under what this process says itself. They follow changes by others. */
import { type Config, DEFAULTS, resolveConfig } from "../../config.ts";
import type { ConfigFile } from "./config-file.ts";

export class Settings {
  readonly #file: ConfigFile;
  readonly #overrides: Partial<Config>;
  /** As the last turn has read them, if it did. */
  #ofTurn: Config | undefined;
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

  /** For a turn; one that ends no attempt needs none. Throws as `current`. */
  forTurn({ isNeeded }: { isNeeded: boolean }): Config {
    this.#ofTurn = isNeeded ? this.current() : undefined;
    return this.#ofTurn ?? DEFAULTS;
  }

  /** For an attempt that the last turn has claimed: where that read them anyway, they are not asked for again. Throws as `current`. */
  forAttempt(): Config {
    return this.#ofTurn ?? this.current();
  }
}
