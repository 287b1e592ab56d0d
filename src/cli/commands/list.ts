import { JOB_STATES } from "../../job/job.ts";
import { FIELD_NAMES } from "../../job/record-field.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { fieldNamed } from "../job-filter.ts";
import { SELECTION_OPTIONS, Selection } from "../job-selection.ts";
import { mistake } from "../mistake.ts";
import { choice } from "../option-values.ts";

/** All names, as many a line as there is room for. */
const FIELD_LINES = `${FIELD_NAMES.join(", ")}.`.match(/\S.{0,74}[,.](?=\s|$)/g)?.map((line) => `  ${line}`) ?? [];

export const list: Command = {
  name: "list",
  summary: "List jobs, in the order they were enqueued",
  details: {
    title: "Conditions",
    lines: [
      "--where takes a field, one of = != < <= > >= ~ and a value, and may be given",
      "many times: then all have to be true. ~ is for patterns, as in command~*.sh.",
      "Durations are 90s, 2h30m; times are now, 2h ago, in 5m, ISO 8601. An empty value",
      "stands for none: last_error!= finds jobs with an error.",
      "Fields:",
      ...FIELD_LINES,
      "Into a pipe, --columns prints values as in JSON, with tabs between them.",
    ],
  },
  arguments: [],
  options: [
    { name: "state", value: "state", offer: { words: JOB_STATES }, summary: `Only these: ${JOB_STATES.join(", ")}` },
    { name: "archived", summary: "Completed jobs that have left the queue for the archive, instead" },
    ...SELECTION_OPTIONS,
    { name: "columns", value: "fields", summary: "Only these fields: id,state,created_at" },
  ],
  examples: [
    "queuectl list",
    "queuectl list --state pending",
    "queuectl list --where batch=nightly",
    "queuectl list --archived | jq -r '.[].id'",
    `queuectl list --where "attempts>1" --where "created_at<2h ago" --sort -updated_at`,
    "queuectl list --match 'ffmpeg *' --columns id,state,command",
    "queuectl list --state failed --columns id | xargs -n 1 queuectl logs",
  ],
  async run({ store, output, now }, args) {
    const state = choice(args, "state", JOB_STATES);
    const moment = now();
    const selection = new Selection(args, moment);
    const columns = args.options.get("columns")?.split(",").map(fieldNamed);
    const listing = { now: moment, ...(columns && { columns }) };
    if (args.options.has("archived")) {
      if (state !== undefined && state !== "completed") {
        throw mistake(`Only completed jobs are archived, got --state ${state} with --archived.`);
      }
      await output.jobs(selection.among((await store()).archived()), listing);
      return EXIT.ok;
    }
    const jobs = selection.of(await (await store()).list(state));
    await output.result({ view: "jobs", jobs, state, isPartial: selection.isPartial, ...listing });
    return EXIT.ok;
  },
};
