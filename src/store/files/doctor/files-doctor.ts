/**
 * Examines and mends a data directory. The judge of whether it is damaged is the same code that every command loads it
 * with; salvage.ts then says where, and what is whole. Mending never deletes: a copy of every file that it replaces lies
 * under `quarantine/` before the first one changes, and doing it again after a crash comes to the same.
 */
import { closeSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../../job/errors.ts";
import { isDeadLetter } from "../../../job/job.ts";
import type { Doctor, Examination, Finding, Mending } from "../../doctor.ts";
import { append, createDirectory, guard, namesIn, openToAppend, syncDirectory, writeNew } from "../../local/durable.ts";
import { ownMark } from "../../local/identity.ts";
import { replaceSnapshots } from "../checkpoint.ts";
import { checksum } from "../commit.ts";
import { ConfigFile } from "../config-file.ts";
import { Corruption } from "../corruption.ts";
import type { Journal } from "../journal.ts";
import { checkDataDirectory, journalGeneration, type Layout, layoutOf } from "../layout.ts";
import { acquire } from "../lock.ts";
import { beginningOf } from "../position.ts";
import { TORN } from "../quarantine.ts";
import { Replica } from "../replica.ts";
import { roster } from "../roster.ts";
import { freshBefore } from "../sign-of-life.ts";
import { QueueState } from "../state.ts";
import { damageOf } from "./damage.ts";
import { type Salvage, salvage } from "./salvage.ts";
import { lookAround, untrusted } from "./surroundings.ts";

export class FilesDoctor implements Doctor {
  readonly #layout: Layout;
  readonly #now: () => number;

  constructor(root: string, { now }: { now: () => number }) {
    this.#layout = layoutOf(root);
    this.#now = now;
  }

  get location(): string {
    return this.#layout.root;
  }

  async examine(): Promise<Examination> {
    if (!existsSync(this.#layout.root)) return { sound: true, mendable: false, files: [], findings: [] };
    const distrust = untrusted(this.#layout);
    if (distrust.length > 0) return { sound: false, mendable: false, files: [], findings: distrust };
    const store = this.#examineStore();
    const config = this.#examineConfig();
    const findings = [...store.findings, ...config.findings, ...lookAround(this.#layout, store.state, this.#now())];
    const sound = !findings.some(isDamage);
    return { sound, mendable: !sound, files: [...store.files, ...config.files], findings };
  }

  async mend(): Promise<Mending | undefined> {
    if (!existsSync(this.#layout.root)) return undefined;
    checkDataDirectory(this.#layout.root);
    createDirectory(this.#layout.workers);
    using _lock = await acquire(this.#layout.lock, this.#now);
    this.#refuseWhileInUse();
    const store = this.#examineStore();
    const config = this.#examineConfig();
    const findings = [...store.findings, ...config.findings].filter(isDamage);
    if (findings.length === 0) return undefined;
    const setAside = this.#copyAll();
    if (config.findings.length > 0) this.#config().mend();
    if (store.salvage) this.#rebuild(store.salvage);
    return { findings, setAside, jobs: becameOf(findings, store.state) };
  }

  #examineStore(): { state: QueueState; salvage?: Salvage; files: Examination["files"]; findings: readonly Finding[] } {
    try {
      using replica = Replica.load(this.#layout);
      if (!replica) return { state: new QueueState([], []), files: [], findings: [] };
      return {
        state: replica.state,
        files: this.#holdings(replica),
        findings: replica.journal ? tornLines(replica.journal) : [],
      };
    } catch (error) {
      if (!(error instanceof Corruption)) throw error;
      const saved = salvage(this.#layout);
      const findings = saved.damage.length > 0 ? saved.damage : [damageOf(error)];
      return { state: saved.state, salvage: saved, files: [], findings };
    }
  }

  #holdings({ state, journal }: Replica): Examination["files"] {
    const { pending, processing, completed, archived, failed, dead } = state.counts();
    return [
      { path: this.#layout.queue, holds: counted(pending + processing + completed - archived + failed, "job", "jobs") },
      ...(archived > 0 ? [{ path: this.#layout.archive, holds: counted(archived, "job", "jobs") }] : []),
      { path: this.#layout.dlq, holds: counted(dead, "dead letter", "dead letters") },
      ...(journal ? [{ path: journal.path, holds: counted(journal.size, "byte", "bytes") }] : []),
    ];
  }

  #examineConfig(): { files: Examination["files"]; findings: readonly Finding[] } {
    const path = this.#layout.config;
    try {
      const settings = Object.keys(this.#config().read()).length;
      return {
        files: existsSync(path) ? [{ path, holds: counted(settings, "setting", "settings") }] : [],
        findings: [],
      };
    } catch (error) {
      if (!(error instanceof Corruption)) throw error;
      return { files: [], findings: [damageOf(error)] };
    }
  }

  #config(): ConfigFile {
    return new ConfigFile(this.#layout.config);
  }

  /** A frozen writer is seen to by `#rebuild`; who is alive and well may still have a job's outcome to write. */
  #refuseWhileInUse(): void {
    const { alive } = roster(this.#layout.workers, freshBefore(this.#now()));
    if (alive.length === 0) return;
    throw new QueueError("E_STORE_LOCKED", `${alive.map(({ id }) => id).join(", ")} still work on it.`, {
      hint: "Stop them first: queuectl worker-stop",
    });
  }

  #copyAll(): string {
    const { root, quarantine } = this.#layout;
    const directory = join(quarantine, `before-${new Date(this.#now()).toISOString().replaceAll(":", "-")}`);
    createDirectory(directory);
    for (const name of namesIn(root)) {
      const path = join(root, name);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
      writeNew(join(directory, name), [guard("read", path, () => readFileSync(path))]);
    }
    syncDirectory(directory);
    return directory;
  }

  #rebuild({ state, generation, seq }: Salvage): void {
    for (const name of namesIn(this.#layout.root)) {
      if (journalGeneration(name) !== undefined) this.#retire(join(this.#layout.root, name));
    }
    // A sum that no file had before, so that nothing which turns up late can be taken for a part of this store.
    const sum = checksum(`${ownMark()} ${this.#now()} ${generation} ${seq}`);
    replaceSnapshots(this.#layout, { state, position: beginningOf(generation + 1, { sum, seq }) });
    Replica.load(this.#layout)?.[Symbol.dispose]();
  }

  /** A writer frozen before its append then finds its line not where it said, and looks again (journal.ts). */
  #retire(journal: string): void {
    const fd = openToAppend(journal);
    try {
      append(fd, Buffer.from("\n"), { path: journal, step: "append" });
    } finally {
      closeSync(fd);
    }
  }
}

/** As `warningOf` tells of them: after a crash they are as it should be. */
function tornLines({ path, suspects }: Journal): Finding[] {
  return suspects.map(({ line }) => ({ severity: "concern", path, line, problem: `it ${TORN}`, jobs: [] }));
}

function becameOf(findings: readonly Finding[], state: QueueState): Mending["jobs"] {
  const ids = new Set(findings.flatMap(({ jobs }) => jobs));
  return Array.from(ids, (id) => {
    const entry = state.entry(id);
    return { id, now: entry === undefined ? "lost" : isDeadLetter(entry) ? "dead" : entry.state };
  });
}

function isDamage({ severity }: Finding): boolean {
  return severity === "damage";
}

function counted(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
