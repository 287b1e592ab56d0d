/** A grown store whose copies are damaged, judged and mended. */
import { expect } from "bun:test";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../src/job/errors.ts";
import type { Entry } from "../../src/job/job.ts";
import type { Doctor, Mending } from "../../src/store/doctor.ts";
import { salvage } from "../../src/store/files/doctor/salvage.ts";
import { layoutOf } from "../../src/store/files/layout.ts";
import { openDoctor } from "../../src/store/open.ts";
import { filesOptions, openFiles } from "./files-store.ts";
import { contentOf, grow, type History, holdingOf, rewriteBytes } from "./small-store.ts";
import { sorted } from "./sorted.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export type Damage = (directory: string) => void;

/** A grown store, and copies of it to be damaged. */
export class DamageStage implements AsyncDisposable {
  readonly journal: string;
  readonly leases: readonly number[];
  readonly #root: ReturnType<typeof temporaryDirectory>;
  readonly #history: History;
  readonly #entries: Map<string, Entry>;
  #copies = 0;

  private constructor(root: ReturnType<typeof temporaryDirectory>, history: History, entries: readonly Entry[]) {
    this.#root = root;
    this.#history = history;
    this.#entries = byId(entries);
    this.journal = history.journal;
    const text = this.bytes(history.journal).toString();
    this.leases = Array.from(text.matchAll(/"lease":(\d+)/g), ([, lease]) => Number(lease));
  }

  static async open(growing = grow): Promise<DamageStage> {
    const root = temporaryDirectory();
    const history = await growing(join(root.path, "grown"));
    return new DamageStage(root, history, await entriesOf(history.directory));
  }

  get entries(): Map<string, Entry> {
    return this.#entries;
  }

  get ids(): string[] {
    return [...this.#entries.keys()];
  }

  bytes(file: string): Buffer {
    return readFileSync(join(this.#history.directory, file));
  }

  /**
   * Damages a copy and looks. Refused, not a byte may change, and every entry must be among what doctor would keep, as it
   * was, or its damage be told. Not refused, the store must hold what it held after one of its commits.
   */
  async judge(damage: Damage): Promise<"refused" | "torn" | "unfinished"> {
    const directory = this.#damaged(damage);
    const before = contentOf(directory);
    const warnings: string[] = [];
    const store = await openFiles(directory, { warn: (sentence) => warnings.push(sentence) });
    try {
      const holding = await holdingOf(store);
      expect(this.#history.stages.map((stage) => stage.holding)).toContainEqual(holding);
      return warnings.length > 0 ? "torn" : "unfinished";
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      expect(error.code).toMatch(/^E_STORE_(?:CORRUPT|VERSION)$/);
      if (error.code === "E_STORE_CORRUPT") this.#account(directory);
      expect(contentOf(directory)).toEqual(before);
      return "refused";
    }
  }

  /** Mends a damaged copy; then it must be sound, take new work, and hold nothing that never was. */
  async mend(damage: Damage): Promise<{
    mending: Mending | undefined;
    before: Record<string, string>;
    entries: Entry[];
    directory: string;
  }> {
    const directory = this.#damaged(damage);
    const before = contentOf(directory);
    const mending = await (await doctorOf(directory)).mend();
    expect((await (await doctorOf(directory)).examine()).sound).toBe(true);
    const entries = await entriesOf(directory);
    const store = await openFiles(directory);
    await store.enqueue([{ id: "after", command: "true" }]);
    await store.close();
    expect(sorted((await entriesOf(directory)).map(({ id }) => id))).toEqual(
      sorted([...entries.map(({ id }) => id), "after"]),
    );
    return { mending, before, entries, directory };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#root[Symbol.dispose]();
  }

  #damaged(damage: Damage): string {
    const directory = join(this.#root.path, `copy-${++this.#copies}`);
    cpSync(this.#history.directory, directory, { recursive: true });
    // The worker under whom it grew is this process, and alive.
    rmSync(join(directory, "workers"), { recursive: true });
    damage(directory);
    return directory;
  }

  #account(directory: string): void {
    const { state, damage } = salvage(layoutOf(directory));
    const named = new Set(damage.flatMap(({ jobs }) => jobs));
    expect(damage.length).toBeGreaterThan(0);
    for (const entry of [...state.jobs(), ...state.deadLetters()]) {
      const isAsItWas = entry.command === this.#entries.get(entry.id)?.command;
      expect({ entry, accounted: isAsItWas || named.has(entry.id) }).toEqual({ entry, accounted: true });
    }
  }
}

export function byId(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

/** Changes one bit of the byte at a place. */
export function flip(file: string, at: number): Damage {
  return rewriteBytes(file, (bytes) => bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 7))));
}

export async function doctorOf(directory: string): Promise<Doctor> {
  return openDoctor(filesOptions(directory));
}

async function entriesOf(directory: string): Promise<Entry[]> {
  const store = await openFiles(directory);
  return [...(await store.list()), ...(await store.deadLetters())];
}
