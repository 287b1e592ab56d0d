/** A processing job as a worker has just claimed it, for tests that run commands without a store. */
import type { ProcessingJob } from "../../src/job/job.ts";

export function processingJob(command: string, fields: Partial<ProcessingJob> = {}): ProcessingJob {
  return {
    id: "p1",
    command,
    state: "processing",
    run_at: 0,
    attempts: 1,
    max_retries: 3,
    created_at: 0,
    updated_at: 0,
    processing_started_at: 0,
    worker_id: "worker-1",
    lease: 1,
    ...fields,
  };
}
