/**
 * Which store the commands of a folder use: what `store` in the config.json of its data directory says, or the
 * environment. Where nothing is said, or `files`, it is the data directory itself.
 */
import { join } from "node:path";
import type { Origin } from "../config.ts";
import { QueueError } from "../job/errors.ts";
import { shown } from "../job/shown.ts";
import { ConfigFile } from "./files/config-file.ts";
import { FilesStore } from "./files/files-store.ts";
import { checkDataDirectory, findDataDirectory } from "./files/layout.ts";
import type { StoreOptions } from "./open.ts";

/** The word for the data directory itself. */
const FILES = "files";

/** The address of a database, perhaps with a password in it. */
export interface Chosen {
  readonly url: string;
  readonly found: "in the data directory" | "in the environment";
}

export class StoreChoice {
  readonly directory: string;
  readonly #options: StoreOptions;

  /** Of the folder that the flags and the environment name. */
  constructor(options: StoreOptions) {
    const { dataDir, cwd, env } = options;
    this.directory = findDataDirectory(dataDir ?? (env.QUEUECTL_DATA_DIR || undefined), cwd);
    this.#options = options;
  }

  /** Undefined where the queue is in files. Throws `E_USAGE` for what is no address, and `E_STORE_IO` as the store would. */
  database(): Chosen | undefined {
    const named = this.#named();
    const url = named ?? this.#stored();
    if (url === undefined || url === FILES) return undefined;
    if (!/^postgres(?:ql)?:/.test(url)) throw notAStore(url);
    return { url, found: named === undefined ? "in the data directory" : "in the environment" };
  }

  /** What is in force, for people: an address without its password, or `files`. */
  async current(): Promise<string> {
    const chosen = this.database();
    return chosen === undefined ? FILES : (await this.#address(chosen.url)).shown;
  }

  /** What says so. */
  origin(): Origin {
    if (this.#named() !== undefined) return { origin: "environment", where: "QUEUECTL_STORE" };
    if (this.#stored() === undefined) return { origin: "default", where: null };
    return { origin: "stored", where: this.#file };
  }

  /**
   * Stores an address, or `files`, durably, and returns it as it will be shown; and how many jobs that are not done stay
   * behind in the files. Throws `E_USAGE` for an address with a password in it: whoever lists the processes of this
   * machine would see it.
   */
  async choose(text: string): Promise<{ store: string; left: number }> {
    const store = text === FILES ? undefined : await this.#presentable(text);
    const { now, random, elapsed, warn } = this.#options;
    const files = new FilesStore(this.directory, { now, random, elapsed, warn, overrides: {} });
    await files.setStore(store);
    const { pending, processing } = await files.counts();
    await files.close();
    return { store: store ?? FILES, left: store === undefined ? 0 : pending + processing };
  }

  /** By the environment, which does not overrule a directory that was named on the command line. */
  #named(): string | undefined {
    const { dataDir, env } = this.#options;
    return (dataDir === undefined && env.QUEUECTL_STORE) || undefined;
  }

  #stored(): string | undefined {
    checkDataDirectory(this.directory);
    return new ConfigFile(this.#file).store();
  }

  get #file(): string {
    return join(this.directory, "config.json");
  }

  async #presentable(text: string): Promise<string> {
    if (!/^postgres(?:ql)?:/.test(text)) throw notAStore(text);
    const { url, shown: told } = await this.#address(text);
    const given = new URL(url);
    if (given.password === "" && !given.searchParams.has("password")) return told;
    throw new QueueError(
      "E_USAGE",
      "An address on the command line must not hold a password: others can see it there.",
      {
        hint: "Put it into ~/.pgpass or PGPASSWORD, or the whole address into QUEUECTL_STORE.",
      },
    );
  }

  async #address(url: string): Promise<{ url: string; shown: string }> {
    const { parseAddress } = await import("./postgres/address.ts");
    return parseAddress(url, this.#options.env);
  }
}

/** What may be a mistyped address is shown from its host on, without what may be a password. */
function notAStore(url: string): QueueError {
  return new QueueError("E_USAGE", `The store must be a PostgreSQL address, got ${shown(url.split("@").at(-1))}.`, {
    hint: "Like postgres://user@host:5432/database, or files.",
  });
}
