import { EXIT, EXIT_MEANINGS } from "../exit-code.ts";
import { explained, type Topic } from "./topic.ts";

export const exitCodes: Topic = {
  summary: "What the exit code of queuectl means",
  sections: [
    {
      title: "Exit codes",
      lines: explained(
        Object.entries(EXIT).map(([name, code]) => [String(code), EXIT_MEANINGS[name as keyof typeof EXIT]]),
      ),
    },
  ],
};
