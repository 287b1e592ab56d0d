import { enqueue } from "../commands/enqueue.ts";
import { explained, type Topic } from "./topic.ts";

export const jobs: Topic = {
  summary: "What a job is made of, and what becomes of it",
  sections: [
    { title: "What you may give", lines: enqueue.details?.lines ?? [] },
    {
      title: "What the queue adds",
      lines: explained([
        ["state", "pending, processing, completed or failed; a dead letter has none"],
        ["attempts", "how often it was begun, a crash included"],
        ["created_at", "when it was enqueued, in epoch milliseconds"],
        ["updated_at", "when its state last changed"],
        ["processing_started_at", "when the latest attempt began"],
        ["worker_id", "who has it, or ran it last"],
        ["lease", "the number of the attempt that runs, greater than that of every earlier one"],
        ["last_error", "how the latest attempt that failed ended"],
        ["error, failed_at", "of a dead letter: the same of its last attempt, and when that was"],
      ]),
    },
    {
      title: "States",
      lines: explained([
        ["pending", "waits for its run_at; the highest priority goes first, then who came first"],
        ["processing", "one worker runs it"],
        ["completed", "its command exited 0"],
        ["failed", "it ended without success and outside of the DLQ: last_error says why"],
        ["DLQ", "an attempt failed and no retry was left; queuectl dlq-retry brings it back"],
      ]),
    },
  ],
};
