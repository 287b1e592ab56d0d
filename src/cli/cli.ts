/** From a command line to an exit code. The only user of cac, which lays out the help pages and is loaded for them alone. */
import type { Output } from "../output/output.ts";
import type { Explanation } from "../output/two-columns.ts";
import type { StoreChoice } from "../store/choice.ts";
import type { Doctor } from "../store/doctor.ts";
import type { Migrator } from "../store/migrator.ts";
import type { Store } from "../store/store.ts";
import { type Commands, readRequest } from "./argv.ts";
import { type Arguments, type Command, type Context, GLOBAL_OPTIONS, optionUsage, usage } from "./command.ts";
import type { NameReader } from "./completion/offers.ts";
import { EXIT } from "./exit-code.ts";
import { TOPICS } from "./topics/all.ts";
import type { Topic } from "./topics/topic.ts";

/** In the order of the page that lists them all. Each is loaded when it is asked for. */
const COMMANDS: Commands = new Map([
  ["enqueue", async () => (await import("./commands/enqueue.ts")).enqueue],
  ["worker-start", async () => (await import("./commands/worker-start.ts")).workerStart],
  ["worker-stop", async () => (await import("./commands/worker-stop.ts")).workerStop],
  ["list", async () => (await import("./commands/list.ts")).list],
  ["status", async () => (await import("./commands/status.ts")).status],
  ["top", async () => (await import("./commands/top.ts")).top],
  ["stats", async () => (await import("./commands/stats.ts")).stats],
  ["show", async () => (await import("./commands/show.ts")).show],
  ["exec", async () => (await import("./commands/exec.ts")).exec],
  ["run", async () => (await import("./commands/run.ts")).run],
  ["wait", async () => (await import("./commands/wait.ts")).wait],
  ["why", async () => (await import("./commands/why.ts")).why],
  ["events", async () => (await import("./commands/events.ts")).events],
  ["logs", async () => (await import("./commands/logs.ts")).logs],
  ["cancel", async () => (await import("./commands/cancel.ts")).cancel],
  ["retry", async () => (await import("./commands/retry.ts")).retry],
  ["edit", async () => (await import("./commands/edit.ts")).edit],
  ["remove", async () => (await import("./commands/remove.ts")).remove],
  ["dlq-list", async () => (await import("./commands/dlq-list.ts")).dlqList],
  ["dlq-retry", async () => (await import("./commands/dlq-retry.ts")).dlqRetry],
  ["dlq-remove", async () => (await import("./commands/dlq-remove.ts")).dlqRemove],
  ["queue-list", async () => (await import("./commands/queue-list.ts")).queueList],
  ["queue-set", async () => (await import("./commands/queue-set.ts")).queueSet],
  ["pause", async () => (await import("./commands/pause.ts")).pause],
  ["resume", async () => (await import("./commands/pause.ts")).resume],
  ["schedule-add", async () => (await import("./commands/schedule-add.ts")).scheduleAdd],
  ["schedule-list", async () => (await import("./commands/schedule-list.ts")).scheduleList],
  ["schedule-remove", async () => (await import("./commands/schedule-remove.ts")).scheduleRemove],
  ["config-get", async () => (await import("./commands/config-get.ts")).configGet],
  ["config-set", async () => (await import("./commands/config-set.ts")).configSet],
  ["prune", async () => (await import("./commands/prune.ts")).prune],
  ["export", async () => (await import("./commands/export.ts")).exportQueue],
  ["import", async () => (await import("./commands/import.ts")).importQueue],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctor],
  ["store-migrate", async () => (await import("./commands/store-migrate.ts")).storeMigrate],
  ["completion", async () => (await import("./commands/completion.ts")).completion],
  ["selftest", async () => (await import("./commands/selftest.ts")).selftest],
]);

/** For the page that lists all commands. */
const EXAMPLES = [
  `queuectl enqueue '{"id":"p1","command":"echo hi"}'`,
  "queuectl worker-start --count 2",
  "queuectl status",
];

const MORE = {
  title: "More",
  body: [
    "  queuectl <command> --help, queuectl help <topic>",
    "  queuectl help --man | man -l -    all of it as a manual page",
  ].join("\n"),
};

/** What the process gives to a command line: everything that a test may want to replace. */
export interface World {
  readonly output: Output;
  readonly json: boolean;
  readonly now: () => number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly commit: string | undefined;
  openStore(dataDir: string | undefined): Promise<Store>;
  openDoctor(dataDir: string | undefined): Promise<Doctor>;
  choice(dataDir: string | undefined): Promise<StoreChoice>;
  openMigrator(dataDir: string | undefined): Promise<Migrator>;
  ask(question: string): Promise<boolean | undefined>;
}

/** Does what `argv` (without the program's own name) asks for and returns the exit code. Throws `QueueError`. */
export async function runCommandLine(argv: readonly string[], world: World): Promise<number> {
  const request = await readRequest(argv, COMMANDS, [...TOPICS.keys()]);
  if (request.kind === "help") {
    await printHelp(request.command);
    return EXIT.ok;
  }
  if (request.kind === "topic") {
    const [topic, { topicText }] = await Promise.all([TOPICS.get(request.topic)?.(), import("./topics/topic.ts")]);
    if (topic) world.output.data(topicText(topic));
    return EXIT.ok;
  }
  if (request.kind === "man") {
    world.output.data(await manual(world.version));
    return EXIT.ok;
  }
  if (request.kind === "version") {
    await world.output.result({ view: "version", version: world.version, commit: world.commit, bun: Bun.version });
    return EXIT.ok;
  }
  return runCommand(request.command, request.args, world);
}

/** What a shell may put in the place of the last of these words, for its script to read (completion/scripts.ts). */
export async function completionLines(words: readonly string[], readNames: NameReader): Promise<string> {
  const { offers } = await import("./completion/offers.ts");
  return (await offers(words, { commands: COMMANDS, topics: TOPICS, readNames })).map((line) => `${line}\n`).join("");
}

async function runCommand(command: Command, args: Arguments, world: World): Promise<number> {
  let opened: Promise<Store> | undefined;
  const context: Context = {
    output: world.output,
    now: world.now,
    json: world.json,
    cwd: world.cwd,
    env: world.env,
    store() {
      opened ??= world.openStore(args.options.get("data-dir"));
      return opened;
    },
    choice: () => world.choice(args.options.get("data-dir")),
    doctor: () => world.openDoctor(args.options.get("data-dir")),
    migrator: () => world.openMigrator(args.options.get("data-dir")),
    storeIn: world.openStore.bind(world),
    doctorIn: world.openDoctor.bind(world),
    ask: world.ask.bind(world),
  };
  let code: number;
  try {
    code = await command.run(context, args);
  } catch (error) {
    // What went wrong first is what is told; a store in trouble may well fail to close, too.
    await opened?.then((store) => store.close()).catch(() => {});
    throw error;
  }
  await (await opened)?.close();
  return code;
}

async function printHelp(about: Command | undefined): Promise<void> {
  const { cac } = await import("cac");
  const program = cac("queuectl");
  program.usage("<command> [options]");
  for (const option of GLOBAL_OPTIONS) program.option(optionUsage(option), option.summary);
  for (const example of EXAMPLES) program.example(`  $ ${example}`);
  const [commands, topics] = await everything();
  for (const command of commands) {
    const described = program.command(usage(command), command.summary);
    if (command.options.length > 0) described.usage(usage(command, "[options]"));
    for (const option of command.options) described.option(optionUsage(option), option.summary);
    // cac takes `--no-retry-on` for the opposite of an option that is on by default.
    for (const option of described.options) delete option.config.default;
    for (const example of command.examples) described.example(`  $ ${example}`);
    if (command === about) program.matchedCommand = described;
  }
  const options = about
    ? [...about.options, ...GLOBAL_OPTIONS.filter(({ name }) => name !== "version")]
    : GLOBAL_OPTIONS;
  const { explained } = await import("./topics/topic.ts");
  const body = (rows: readonly Explanation[]): string => explained(rows).map(indented).join("\n");
  // Of cac these would be wider than a terminal.
  const narrow = new Map<string | undefined, string>([
    ["Commands", body(commands.map(({ name, summary }) => [name, summary]))],
    ["Options", body(options.map((option) => [optionUsage(option), option.summary]))],
  ]);
  // Set here and not by `help()`, which would list a second --help.
  program.globalCommand.helpCallback = ([, synopsis, ...sections]) => [
    { body: about?.summary ?? "A durable queue of shell commands." },
    ...(synopsis ? [synopsis] : []),
    ...(about?.details ? [{ title: about.details.title, body: about.details.lines.map(indented).join("\n") }] : []),
    ...sections
      .filter(({ title }) => !title?.startsWith("For more info"))
      .map(({ title, body }) => ({ ...(title ? { title } : {}), body: narrow.get(title) ?? body })),
    ...(about ? [] : [{ title: "Topics", body: body(topics.map(([name, { summary }]) => [name, summary])) }, MORE]),
  ];
  program.outputHelp();
}

async function manual(version: string): Promise<string> {
  const { manPage } = await import("./man-page.ts");
  const [commands, topics] = await everything();
  return manPage({ version, commands, topics, examples: EXAMPLES });
}

/** All commands, and all topics by name, for pages that tell of them. */
async function everything(): Promise<[Command[], (readonly [string, Topic])[]]> {
  return Promise.all([
    Promise.all(Array.from(COMMANDS.values(), (load) => load())),
    Promise.all(Array.from(TOPICS, async ([name, load]) => [name, await load()] as const)),
  ]);
}

function indented(line: string): string {
  return `  ${line}`;
}
