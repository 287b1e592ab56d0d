import { explained, type Topic } from "./topic.ts";

export const time: Topic = {
  summary: "How durations and instants are written",
  sections: [
    {
      title: "Durations",
      lines: [
        ...explained([
          ["90s", "seconds; as well d, h, m and ms"],
          ["2h30m", "several, the longest unit first, each once"],
          ["90000", "in JSON a number is milliseconds"],
        ]),
        "delay, timeout and expires_in of a job are written so.",
      ],
    },
    {
      title: "Instants",
      lines: [
        ...explained([
          [
            "2026-01-31T09:00:00Z",
            "ISO 8601; +01:00 instead of Z is another zone, without either it is this machine's",
          ],
          ["2026-01-31", "that midnight, in UTC"],
          ["1769850000000", "in JSON a number is epoch milliseconds"],
        ]),
        "run_at of a job is written so. With --json every instant is a number.",
      ],
    },
    {
      title: "Settings",
      lines: [
        "backoff_base ^ attempts and backoff_max are in seconds, keep_logs is in days,",
        "worker_idle_delay, kill_grace and shutdown_grace are in milliseconds.",
      ],
    },
  ],
};
