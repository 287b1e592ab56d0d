/** The completed jobs that are in the queue, in the order in which they were completed: the first leave it first. */
import type { CompletedJob } from "../../job/job.ts";

export class CompletedJobs {
  /** In their order, unless a job has come from elsewhere that was completed earlier. */
  readonly #jobs = new Map<string, CompletedJob>();
  #last = 0;
  #areInOrder = true;

  get size(): number {
    return this.#jobs.size;
  }

  set(job: CompletedJob): void {
    this.#jobs.set(job.id, job);
    this.#areInOrder &&= job.updated_at >= this.#last;
    this.#last = Math.max(this.#last, job.updated_at);
  }

  delete(id: string): void {
    this.#jobs.delete(id);
  }

  first(limit: number): CompletedJob[] {
    if (!this.#areInOrder) this.#sort();
    return Array.from(this.#jobs.values().take(limit));
  }

  #sort(): void {
    const jobs = Array.from(this.#jobs.values()).sort((a, b) => a.updated_at - b.updated_at);
    this.#jobs.clear();
    for (const job of jobs) this.#jobs.set(job.id, job);
    this.#areInOrder = true;
  }
}
