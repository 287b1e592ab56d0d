/**
 * The schedules, which stand in the head of `queue.json`. That an instant gives one job is the journal's doing: the job
 * and the instant after it are in one commit.
 */
import type { Schedule } from "../../job/schedule.ts";
import { byName, type ScheduleBook, scheduleExists, scheduleNotFound } from "../schedule-book.ts";
import { type JournalRecord, recordOfSchedule } from "./commit.ts";
import type { Ledger } from "./ledger.ts";
import type { QueueState } from "./state.ts";

interface Circumstances {
  readonly now: () => number;
  readonly maxRetries: () => number;
}

export class FilesSchedules implements ScheduleBook {
  readonly #ledger: Ledger;
  readonly #circumstances: Circumstances;

  constructor(ledger: Ledger, circumstances: Circumstances) {
    this.#ledger = ledger;
    this.#circumstances = circumstances;
  }

  async list(): Promise<Schedule[]> {
    return byName(Object.values(this.#ledger.state().standing.schedules));
  }

  async add(schedule: Schedule, { existing = "refuse" }: { existing?: "refuse" | "replace" } = {}): Promise<void> {
    const { name } = schedule;
    await this.#commit(({ standing }) => {
      if (existing === "refuse" && standing.schedules[name]) throw scheduleExists(name);
      return [recordOfSchedule(name, schedule)];
    });
  }

  async remove(name: string): Promise<void> {
    await this.#commit(({ standing }) => {
      if (!standing.schedules[name]) throw scheduleNotFound(name);
      return [recordOfSchedule(name, undefined)];
    });
  }

  /** Has those whose time has come give their jobs. */
  async fire(): Promise<void> {
    const now = this.#circumstances.now();
    const at = this.#ledger.known().nextScheduleAt();
    if (at === undefined || at > now) return;
    const maxRetries = this.#circumstances.maxRetries();
    const { firing } = await import("./firing.ts");
    await this.#commit((state) => firing(state, { now, maxRetries }), { durable: false });
  }

  async #commit(decide: (state: QueueState) => JournalRecord[], { durable } = { durable: true }): Promise<void> {
    await this.#ledger.commit((state) => ({ records: decide(state), result: undefined }), { durable });
  }
}
