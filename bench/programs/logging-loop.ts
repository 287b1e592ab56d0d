/**
 * The bare loop with what no queue can do without for its jobs: each prints to a log file of its own, which is removed
 * if nothing was printed, and has an environment of its own, which tells it what it is. What becomes of the jobs is
 * written down nowhere.
 */
import { closeSync, constants, fstatSync, openSync, unlinkSync } from "node:fs";
import { loop } from "./loop.ts";

const NEW_LOG = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL;
const environment = { ...process.env };

await loop(async (job, directory) => {
  const path = `${directory}/job-${job}.log`;
  const log = openSync(path, NEW_LOG, 0o600);
  // As many variables as a job of queuectl gets.
  const own = { DIRECTORY: directory, WORKER: "worker-1", LEASE: String(job), JOB: `job-${job}`, ATTEMPT: "1" };
  const env = { ...environment, ...own };
  await Bun.spawn(["/bin/sh", "-c", "true"], { stdin: "ignore", stdout: log, stderr: log, env }).exited;
  if (fstatSync(log).size === 0) unlinkSync(path);
  closeSync(log);
});
