import { endingOf } from "../../job/outcome.ts";
import { failureLine } from "../../output/outcome-view.ts";
import type { Command } from "../command.ts";
import { mistake } from "../mistake.ts";
import { LINE_OPTION, SPEC_OPTIONS } from "../spec-options.ts";

/** Somebody else's job is not waited for. */
const OPTIONS = SPEC_OPTIONS.filter(({ name }) => name !== "if-exists");

export const exec: Command = {
  name: "exec",
  summary: "Enqueue a command, show what it prints, and end as it ends",
  details: {
    title: "How it runs",
    lines: [
      "As a job of the queue, by its rules: one that runs a single job at a time is a",
      "gate for all who exec into it. If no worker serves the queue, exec brings one",
      "that takes this job alone. It is not retried unless --max-retries says so.",
      "The exit code is that of the command; 128 and the number of the signal that",
      "ended it, 124 after --timeout, 5 if it could not be run, 130 after ^C.",
    ],
  },
  arguments: [],
  takesCommand: true,
  options: [LINE_OPTION, ...OPTIONS],
  examples: [
    "queuectl exec -- make test",
    "queuectl exec --queue deploy -- ./deploy.sh production",
    "queuectl exec --timeout 10m -c 'make && make test'",
  ],
  async run(context, args) {
    const { howToWrite, readCommand, specOf } = await import("../spec-reader.ts");
    const { execute } = await import("../execution.ts");
    const { output, now, json } = context;
    const command = readCommand(args);
    if (command === undefined || args.words.length > 0) {
      const meant = args.words.length > 0 ? args.words : ["make"];
      throw mistake("Expected a command after --, or a line after -c.", howToWrite("exec", meant));
    }
    const spec = { max_retries: 0, ...specOf(command, args, context) };
    const { result, exitCode } = await execute(await context.store(), spec, { output, now, isShown: !json });
    // What the exit code cannot tell.
    if (result.error !== undefined && !isToldByItself(result.error)) output.aside([failureLine(result)]);
    await output.result({ view: "executed", result, exitCode });
    return exitCode;
  },
};

function isToldByItself(error: string): boolean {
  const ending = endingOf(error);
  return typeof ending === "object" && "code" in ending;
}
