/** Many jobs at once, durable before the program ends, from a file and through a pipe, beside queues with a call for that. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { absent, type Benchmark, type Beside, type Finding, interleave, type Unmeasured } from "./benchmark.ts";
import type { Place } from "./stage/place.ts";
import { startRedis } from "./stage/redis.ts";
import { run, timeOf } from "./stage/run.ts";
import { jobsInWords, short } from "./stage/words.ts";

const SIZES = {
  full: [
    { jobs: 100_000, rounds: 4, isBesidePeers: true },
    { jobs: 1_000_000, rounds: 2, isBesidePeers: false },
  ],
  quick: [{ jobs: 10_000, rounds: 1, isBesidePeers: true }],
} as const;
/** Of 100,000 jobs from a file. */
const AT_LEAST_PER_SECOND = 100_000;

interface Peer {
  readonly name: string;
  readonly program: string;
  readonly packages: readonly string[];
  readonly needsRedis: boolean;
}

/** As libraries they are spared the start of a process: only their calls are timed. */
const PEERS: readonly Peer[] = [
  {
    name: "BullMQ",
    program: import.meta.resolve("./programs/bulk-bullmq.ts"),
    packages: ["bullmq", "ioredis"],
    needsRedis: true,
  },
  {
    name: "plainjob",
    program: import.meta.resolve("./programs/bulk-plainjob.ts"),
    packages: ["plainjob"],
    needsRedis: false,
  },
];

export const bulk: Benchmark = {
  chart: {
    title: "Many jobs at once, durable",
    panels: [{ name: "jobs/s", kind: "bars", x: "jobs", isLogarithmic: true }],
  },
  async measure(place) {
    const findings: Finding[] = [];
    for (const size of SIZES[place.effort]) {
      place.say(jobsInWords(size.jobs, "jobs"));
      findings.push(...(await measureSize(place, size)));
    }
    return [...findings, ...PEERS.flatMap((peer) => whyAbsent(peer) ?? [])];
  },
};

async function measureSize(
  place: Place,
  { jobs, rounds, isBesidePeers }: { jobs: number; rounds: number; isBesidePeers: boolean },
): Promise<Finding[]> {
  const file = place.fresh("jobs.jsonl");
  await Bun.write(file, Array.from({ length: jobs }, (_, i) => `{"id":"job-${i + 1}","command":"true"}\n`).join(""));
  const peers = isBesidePeers ? PEERS.filter((peer) => whyAbsent(peer) === undefined) : [];
  const rates = await interleave<string, number>(rounds, {
    file: () => enqueue(place, jobs, (options) => [place.queuectl, "enqueue", "--file", file, ...options]),
    pipe: () =>
      enqueue(place, jobs, (options) => [
        "/bin/sh",
        "-c",
        'cat "$0" | "$@"',
        file,
        place.queuectl,
        "enqueue",
        "-",
        ...options,
      ]),
    ...Object.fromEntries(peers.map((peer) => [peer.name, () => runPeer(place, peer, jobs)])),
  });
  rmSync(file);
  const x = short(jobs);
  const row = (way: "file" | "pipe", beside?: Beside) => ({
    what: `${jobsInWords(jobs, "jobs")} ${way === "file" ? "from a file" : "through a pipe"}`,
    unit: "/s" as const,
    samples: rates[way] ?? [],
    ...(beside === undefined ? {} : { beside }),
    mark: { series: way === "file" ? "queuectl, from a file" : "queuectl, through a pipe", x },
  });
  const isJudged = jobs <= 100_000;
  return [
    { ...row("file"), ...(isJudged ? { budget: { atLeast: AT_LEAST_PER_SECOND } } : {}) },
    row("pipe"),
    ...peers.map(({ name }) => row("file", { name, samples: rates[name] ?? [] })),
  ];
}

async function enqueue(place: Place, jobs: number, command: (options: string[]) => string[]): Promise<number> {
  const directory = place.fresh("bulk");
  const ms = timeOf(command(["--data-dir", directory]));
  const { stdout } = await run(place, [place.queuectl, "status", "--json", "--data-dir", directory]);
  rmSync(directory, { recursive: true, force: true });
  const { pending } = JSON.parse(stdout) as { pending: number };
  if (pending !== jobs) throw new Error(`Only ${pending} of ${jobs} jobs were enqueued.`);
  return jobs / (ms / 1000);
}

async function runPeer(place: Place, { program, needsRedis }: Peer, jobs: number): Promise<number> {
  const directory = place.fresh("peer");
  await using redis = needsRedis ? await startRedis(place, directory) : undefined;
  const where = redis === undefined ? `${directory}.sqlite` : String(redis.port);
  const { stdout } = await run(place, [process.execPath, Bun.fileURLToPath(program), where, String(jobs)]);
  return jobs / (Number(stdout) / 1000);
}

function whyAbsent({ name, packages, needsRedis }: Peer): Unmeasured | undefined {
  const isInstalled = packages.every((one) => existsSync(join(import.meta.dir, "node_modules", one)));
  if (!isInstalled) return absent(name, "it is not installed: npm install --prefix bench");
  if (needsRedis && Bun.which("redis-server") === null) return absent(name, "redis-server is not on PATH");
  return undefined;
}
