/** `queuectl enqueue` of one job, from the start of the process to its end, against a program that prints a line. */
import type { Benchmark } from "./benchmark.ts";
import { interleave } from "./benchmark.ts";
import { fill, openQueue } from "./queue.ts";

const ROUNDS = 40;
const SMALL = 100;

export const coldEnqueue: Benchmark = async (place) => {
  const hello = await place.compile(import.meta.resolve("./hello.ts"));
  const small = place.fresh("small");
  const store = await openQueue(small);
  await fill(store, SMALL);
  await store.close();
  const enqueue = (directory: string): string[] => [
    place.queuectl,
    "enqueue",
    '{"command":"true"}',
    "--data-dir",
    directory,
  ];
  const ms = await interleave(ROUNDS, {
    hello: () => time([hello]),
    empty: () => time(enqueue(place.fresh("empty"))),
    small: () => time(enqueue(small)),
  });
  const against = { unit: "ms", floor: ms.hello, budget: { atMost: 2 } } as const;
  return [
    { what: "cold enqueue, the first of a queue", samples: ms.empty, ...against },
    { what: `cold enqueue, ${SMALL} jobs queued`, samples: ms.small, ...against },
  ];
};

function time(command: string[]): number {
  const start = performance.now();
  const { success, stderr } = Bun.spawnSync(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const ms = performance.now() - start;
  if (!success) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
  return ms;
}
