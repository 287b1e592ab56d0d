/**
 * `top` while it runs: keys, changes of the store and the seconds come in, pages go to the screen. The store is looked at
 * for no more than a tenth of the time, or every ten seconds, however large it is; keys need not wait for that.
 */
import { retry, retryDeadLetter } from "../../job/control.ts";
import { QueueError } from "../../job/errors.ts";
import { isDeadLetter } from "../../job/job.ts";
import { queueOf } from "../../job/queue.ts";
import type { FullScreen } from "../../output/full-screen.ts";
import { type Dashboard, dashboardLines, type Message } from "../../output/top/dashboard.ts";
import { helpLines } from "../../output/top/help-page.ts";
import { logPageLines } from "../../output/top/log-page.ts";
import { jobsInOrder } from "../../output/top/sections.ts";
import type { Store } from "../../store/store.ts";
import { Alarm } from "../../worker/alarm.ts";
import { LogView } from "./log-view.ts";
import { Throughput } from "./throughput.ts";

/** So many jobs of each kind can be gone through; more than a screen has rows. */
const MOST_JOBS = 100;
const TICK_MS = 1000;
const LEAST_PAUSE_MS = 200;
const MOST_PAUSE_MS = 10_000;
const SHARE_OF_TIME = 10;

type Screen = Pick<FullScreen, "canvas" | "draw">;
type Known = Pick<Dashboard, "counts" | "workers" | "queues" | "glance">;
type Chosen = ReturnType<typeof jobsInOrder>[number];

export class TopSession {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #alarm = new Alarm();
  readonly #keys: string[] = [];
  readonly #throughput = new Throughput();
  #known: Known;
  #page: "dashboard" | "help" | LogView = "dashboard";
  #chosen: { readonly id: string | undefined; readonly at: number } = { id: undefined, at: 0 };
  /** Gone with the next key; one that is passing, when a look succeeds. */
  #message: (Message & { readonly isPassing?: boolean }) | undefined;
  /** What is done with the chosen job (output/top/keys.ts lists it). */
  readonly #jobKeys: Readonly<Record<string, (job: Chosen) => Promise<void>>> = {
    l: (job) => this.#showLog(job),
    enter: (job) => this.#showLog(job),
    r: (job) => this.#retry(job),
    c: (job) => this.#cancel(job),
    p: (job) => this.#pauseOrResume(job),
  };
  #hasChanged = false;
  #looked = { at: 0, tookMs: 0 };
  #looking: Promise<void> | undefined;
  #isLeaving = false;
  readonly #interruption = Promise.withResolvers<"interrupted">();

  /** With a first look taken; throws what the store throws. */
  static async begin(store: Store, now: () => number): Promise<TopSession> {
    const session = new TopSession(store, { now, known: await read(store) });
    session.#learn(session.#known);
    return session;
  }

  private constructor(store: Store, { now, known }: { now: () => number; known: Known }) {
    this.#store = store;
    this.#now = now;
    this.#known = known;
  }

  key(key: string): void {
    // Also while a key before it waits for a store that does not answer.
    if (key === "^C") {
      this.#isLeaving = true;
      this.#interruption.resolve("interrupted");
    }
    this.#keys.push(key);
    this.#alarm.ring();
  }

  /** Says what is not as it should be, until a look succeeds. */
  warn(sentence: string): void {
    this.#message = { text: sentence, isTrouble: true, isPassing: true };
    this.#alarm.ring();
  }

  resized(): void {
    this.#alarm.ring();
  }

  /** Until somebody leaves. */
  async run(screen: Screen): Promise<"left" | "interrupted"> {
    using _ = this.#store.changes(() => {
      if (!this.#hasChanged) this.#alarm.ring();
      this.#hasChanged = true;
    });
    return await Promise.race([this.#interruption.promise, this.#go(screen)]);
  }

  async #go(screen: Screen): Promise<"left"> {
    for (;;) {
      this.#alarm.reset();
      for (let key = this.#keys.shift(); key !== undefined; key = this.#keys.shift()) {
        await this.#told(this.#press(key, screen));
        if (this.#isLeaving) return "left";
        screen.draw(this.#lines(screen));
      }
      if (!this.#looking && this.#msToNextLook() <= 0) this.#lookAside();
      screen.draw(this.#lines(screen));
      await this.#alarm.sleep(this.#looking ? TICK_MS : Math.max(1, this.#msToNextLook()));
    }
  }

  /** What comes of it is drawn when it is there. A bug in it has nobody to catch it, and ends the program. */
  #lookAside(): void {
    this.#looking = this.#told(this.#look()).then(() => {
      this.#looking = undefined;
      this.#alarm.ring();
    });
  }

  #lines({ canvas }: Screen): string[] {
    if (this.#page === "help") return helpLines(canvas);
    if (this.#page !== "dashboard") return logPageLines(this.#page.page(canvas), canvas);
    const dashboard: Dashboard = {
      ...this.#known,
      location: this.#store.location,
      now: this.#now(),
      endedPerSecond: this.#throughput.perSecond(),
      chosen: this.#chosen.id,
      message: this.#message,
    };
    return dashboardLines(dashboard, canvas);
  }

  async #look(): Promise<void> {
    this.#hasChanged = false;
    const at = this.#now();
    // Whatever comes of it: what cannot be read is not asked for at once again.
    this.#looked = { at, tookMs: 0 };
    this.#learn(await read(this.#store));
    if (this.#page instanceof LogView) await this.#page.look(this.#store);
    const wasInTrouble = this.#message?.isPassing ?? false;
    // Time in which the store did not answer says nothing of what a look costs it.
    this.#looked = { at, tookMs: wasInTrouble ? 0 : this.#now() - at };
    if (wasInTrouble) this.#message = undefined;
  }

  #learn(known: Known): void {
    this.#known = known;
    this.#throughput.look(known.counts, this.#now());
    const jobs = jobsInOrder(known.glance);
    const at = jobs.findIndex(({ id }) => id === this.#chosen.id);
    this.#choose(at >= 0 ? at : this.#chosen.at);
  }

  /** After changes sooner than without them. A clock that was set back makes it at once. */
  #msToNextLook(): number {
    const { at, tookMs } = this.#looked;
    const least = this.#hasChanged ? LEAST_PAUSE_MS : TICK_MS;
    const pause = Math.max(least, Math.min(tookMs * SHARE_OF_TIME, MOST_PAUSE_MS));
    const passed = this.#now() - at;
    return passed < 0 ? 0 : pause - passed;
  }

  /** The store in trouble is told of and asked again, for what is shown may still be of use. */
  async #told(doing: Promise<void>): Promise<void> {
    try {
      await doing;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      if (error.code.startsWith("E_STORE_")) this.warn(error.message);
      else this.#message = { text: error.message, isTrouble: true };
    }
  }

  async #press(key: string, screen: Screen): Promise<void> {
    if (this.#page === "help") this.#page = "dashboard";
    else if (this.#page === "dashboard") await this.#pressOnDashboard(key);
    else if (key === "q" || key === "escape") this.#page = "dashboard";
    else this.#page.press(key, screen.canvas);
  }

  async #pressOnDashboard(key: string): Promise<void> {
    this.#message = undefined;
    const job = jobsInOrder(this.#known.glance)[this.#chosen.at];
    if (key === "q") this.#isLeaving = true;
    else if (key === "?") this.#page = "help";
    else if (key === "up" || key === "k") this.#choose(this.#chosen.at - 1);
    else if (key === "down" || key === "j") this.#choose(this.#chosen.at + 1);
    else if (job) await this.#jobKeys[key]?.(job);
  }

  #choose(at: number): void {
    const jobs = jobsInOrder(this.#known.glance);
    const nearest = Math.max(0, Math.min(jobs.length - 1, at));
    this.#chosen = { id: jobs[nearest]?.id, at: nearest };
  }

  async #showLog({ id }: Chosen): Promise<void> {
    this.#page = await LogView.open(this.#store, id);
  }

  async #retry(job: Chosen): Promise<void> {
    await this.#store.alter([job.id], isDeadLetter(job) ? retryDeadLetter : retry);
    this.#did(`Job ${job.id} moved back to queue.`);
  }

  /** Goes on while it waits for the job to end, which may take as long as its grace. */
  async #cancel(job: Chosen): Promise<void> {
    if (isDeadLetter(job)) throw new QueueError("E_JOB_STATE", `Job ${job.id} is in the DLQ: nothing of it runs.`);
    this.#did(`Ending job ${job.id}...`);
    void this.#told(this.#end(job)).then(() => this.#alarm.ring());
  }

  async #end(job: Chosen): Promise<void> {
    const { endJobs } = await import("../../worker/cancel.ts");
    const { canceled, unreachable } = await endJobs(this.#store, [job], () => {});
    if (canceled.length > 0) this.#did(`Job ${job.id} canceled.`);
    else if (unreachable.length > 0) this.warn(`Job ${job.id} goes on: its worker cannot be asked from here.`);
    else this.#did(`Job ${job.id} ended before it could be canceled.`);
  }

  async #pauseOrResume(job: Chosen): Promise<void> {
    const name = queueOf(job);
    const paused = !this.#known.queues.find((queue) => queue.name === name)?.paused;
    await this.#store.setQueue(name, { paused });
    this.#did(paused ? `Queue ${name} is paused.` : `Queue ${name} goes on.`);
  }

  #did(text: string): void {
    this.#message = { text, isTrouble: false };
    this.#looked = { at: 0, tookMs: 0 };
  }
}

async function read(store: Store): Promise<Known> {
  const [counts, present, queues, glance] = await Promise.all([
    store.counts(),
    store.present(),
    store.queues(),
    store.glance(MOST_JOBS),
  ]);
  return { counts, workers: present.filter(({ kind }) => kind === "worker"), queues, glance };
}
