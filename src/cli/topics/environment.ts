import { CONFIG_KEYS, variableOf } from "../../config.ts";
import { explained, type Topic } from "./topic.ts";

export const environment: Topic = {
  summary: "The variables that queuectl reads, and those that jobs get",
  sections: [
    {
      title: "Read",
      lines: explained([
        ["QUEUECTL_DATA_DIR", "the data directory, where --data-dir names none"],
        ["QUEUECTL_STORE", "the queue is in this database: postgres://user@host/database (or files)"],
        ["QUEUECTL_OUTPUT", "json is as --json for every command; text, or nothing, is without"],
        ["PGPASSWORD, PGSSLMODE", "how to reach the database, where its address does not say"],
        ["NO_COLOR, TERM=dumb, CI", "no colours"],
      ]),
    },
    { title: "Each overrides a setting (queuectl help config)", lines: CONFIG_KEYS.map(variableOf) },
    {
      title: "In the environment of a job",
      lines: [
        ...explained([
          ["QUEUECTL_JOB_ID", "its id"],
          ["QUEUECTL_ATTEMPT", "which attempt this is, from 1"],
          ["QUEUECTL_WORKER_ID", "whose worker it is"],
          ["QUEUECTL_LEASE", "a number that grows with every attempt: a fencing token"],
          ["QUEUECTL_DATA_DIR", "so that queuectl, called by it, uses the same queue"],
          ["QUEUECTL_RETRY_AFTER", "a file; seconds written to it are waited for, instead of the backoff"],
        ]),
        "With a queue in a database named by the environment, QUEUECTL_STORE instead of",
        "the directory. Other variables that begin with QUEUECTL_ are not passed on.",
      ],
    },
  ],
};
