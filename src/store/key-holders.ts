/** Which jobs have which key: one each, unless a store was put together by hand. */
import { isUnfinished } from "../job/key.ts";

/** A job or dead letter, also one on its way from another store. */
interface Keyed {
  readonly id: string;
  readonly key?: string;
}

export class KeyHolders {
  readonly #ids = new Map<string, Set<string>>();

  /** The id of the one that has it. */
  of(key: string): string | undefined {
    return this.#ids.get(key)?.values().next().value;
  }

  /** Does nothing for an entry that has no key, or none any more. */
  add(entry: Keyed): void {
    if (entry.key === undefined || !isUnfinished(entry)) return;
    this.#ids.set(entry.key, (this.#ids.get(entry.key) ?? new Set()).add(entry.id));
  }

  /** To be told of the entry as it was added. */
  remove({ key, id }: Keyed): void {
    if (key === undefined) return;
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(key);
  }
}
