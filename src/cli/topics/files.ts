import { explained, type Topic } from "./topic.ts";

export const files: Topic = {
  summary: "Where a queue is, and what its files are",
  sections: [
    {
      title: "Which data directory",
      lines: [
        "--data-dir, else QUEUECTL_DATA_DIR, else the nearest db/data with a queue.json",
        "in this folder or one above, else ./db/data, which the first change makes.",
      ],
    },
    {
      title: "What is in it",
      lines: explained([
        ["queue.json, dlq.json", "the jobs and the dead letters as of some moment, one a line"],
        ["journal.N.jsonl", "every change since, one a line"],
        ["config.json", "what queuectl config-set stored"],
        ["archive/", "completed jobs that have left the queue, a file a month"],
        ["logs/", "what each attempt printed (queuectl logs <id> finds it)"],
        ["workers/", "who is alive, and the lock of writers"],
        ["quarantine/", "copies of what queuectl doctor --fix replaced"],
        ["ids.bin", "of a large queue: which ids are taken"],
      ]),
    },
    {
      title: "Backup",
      lines: [
        "Copy the directory while no worker runs, or queuectl export. Look at them,",
        "but change them by queuectl only. In PostgreSQL nothing but logs/ is here.",
      ],
    },
  ],
};
