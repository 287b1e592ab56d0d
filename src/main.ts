/**
 * The entry, and the only place that catches an error to print it and that sets the exit code. Everything heavy is
 * imported when it is needed, because an `enqueue` should cost little more than starting the runtime: of Node's own
 * modules, node:util and node:tty cost a third of a start each.
 */
import { completionLines, runCommandLine } from "./cli/cli.ts";
import { EXIT, exitCodeOf } from "./cli/exit-code.ts";
import { checkOutputForm, wantsJson } from "./cli/output-form.ts";
import { QueueError } from "./job/errors.ts";
import { openOutput } from "./output/open.ts";
import type { Output } from "./output/output.ts";
import type { StoreChoice } from "./store/choice.ts";
import type { Doctor } from "./store/doctor.ts";
import type { Migrator } from "./store/migrator.ts";
import type { StoreOptions } from "./store/open.ts";
import type { Store } from "./store/store.ts";

/** Replaced by `build.ts`; absent in development. */
declare const BUILD_VERSION: string;
declare const BUILD_COMMIT: string;

// A file size limit is an error that can be told (EFBIG), not a reason to die without a word.
process.on("SIGXFSZ", () => {});

const argv = process.argv.slice(2);
const json = wantsJson(argv, process.env);
const output = await openOutput({ json, env: process.env });

// A bug that nobody catches ends the process: left to itself, a compiled program then spins for ever (Bun 1.4.5).
for (const bug of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(bug, (error: unknown) => process.exit(report(error, output)));
}

// Started by a shell while somebody types, so that no help lists it either: whatever goes wrong there, nothing is said.
if (argv[0] === "__complete") {
  await complete(argv.slice(1)).catch(() => {});
  // A database that does not answer is not waited for.
  process.exit(EXIT.ok);
}

try {
  checkOutputForm(process.env);
  process.exitCode = await run(argv);
} catch (error) {
  process.exitCode = report(error, output);
}

async function run([first, ...others]: readonly string[]): Promise<number> {
  if (first === "__worker") return work(others);
  return first === "__webhook" ? tell() : obey(argv);
}

async function obey(commandLine: readonly string[]): Promise<number> {
  return runCommandLine(commandLine, {
    output,
    json,
    now: Date.now,
    cwd: process.cwd(),
    env: process.env,
    version: typeof BUILD_VERSION === "undefined" ? "dev" : BUILD_VERSION,
    commit: typeof BUILD_COMMIT === "undefined" ? undefined : BUILD_COMMIT,
    openStore: open,
    openDoctor,
    choice,
    openMigrator,
    ask: askAtTerminal,
  });
}

/** The process of one worker, as `worker-start` starts it: not a command, so no help lists it. */
async function work(args: readonly string[]): Promise<number> {
  const { parseArgs } = await import("node:util");
  const { values } = parseArgs({
    args: [...args],
    options: {
      "data-dir": { type: "string" },
      supervisor: { type: "string" },
      concurrency: { type: "string", default: "1" },
      queue: { type: "string" },
      only: { type: "string" },
      drain: { type: "boolean", default: false },
      "max-failures": { type: "string" },
      json: { type: "boolean" },
    },
  });
  const { runWorker } = await import("./worker/worker.ts");
  const store = await open(values["data-dir"]);
  await runWorker(store, {
    concurrency: Number(values.concurrency),
    drain: values.drain,
    ...(values["max-failures"] === undefined ? {} : { maxFailures: Number(values["max-failures"]) }),
    ...(values.queue === undefined ? {} : { queues: values.queue.split(",") }),
    ...(values.only === undefined ? {} : { only: values.only }),
    ...(values.supervisor === undefined ? {} : { supervisor: values.supervisor }),
    emit: output.event.bind(output),
  });
  await store.close();
  return EXIT.ok;
}

/** The process of a job that tells a server how another job ended: no command either. */
async function tell(): Promise<number> {
  const { deliver } = await import("./worker/webhook.ts");
  const { exitCode, sentence } = await deliver(process.env, Date.now());
  output.data(`${sentence}\n`);
  return exitCode;
}

async function complete(words: readonly string[]): Promise<void> {
  const lines = await completionLines(words, async (dataDir, wanted) => {
    const { readKnownNames } = await import("./store/known-names.ts");
    return readKnownNames({ ...storeOptions(dataDir), warn: () => {} }, wanted);
  });
  output.data(lines);
}

async function open(dataDir: string | undefined): Promise<Store> {
  const { openStore } = await import("./store/open.ts");
  return openStore(storeOptions(dataDir));
}

async function openDoctor(dataDir: string | undefined): Promise<Doctor> {
  const { openDoctor: openIt } = await import("./store/open.ts");
  return openIt(storeOptions(dataDir));
}

async function choice(dataDir: string | undefined): Promise<StoreChoice> {
  const { StoreChoice } = await import("./store/choice.ts");
  return new StoreChoice(storeOptions(dataDir));
}

async function openMigrator(dataDir: string | undefined): Promise<Migrator> {
  const { openMigrator: openIt } = await import("./store/open.ts");
  return openIt(storeOptions(dataDir));
}

function storeOptions(dataDir: string | undefined): StoreOptions {
  const warn = output.warn.bind(output);
  const elapsed = (): number => performance.now();
  return { dataDir, cwd: process.cwd(), env: process.env, now: Date.now, random: Math.random, elapsed, warn };
}

async function askAtTerminal(question: string): Promise<boolean | undefined> {
  return (await import("./cli/ask.ts")).ask(question);
}

/** A mistake or a trouble gets its sentence, a bug its stack. */
function report(error: unknown, to: Output): number {
  if (error instanceof QueueError) {
    to.error(error);
    return exitCodeOf(error.code);
  }
  to.bug(error);
  return EXIT.failure;
}
