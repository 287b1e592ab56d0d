/** Taking a job and ending it, one at a time and without running anything: what the store alone costs a job. */
import { type Benchmark, interleave } from "./benchmark.ts";
import { fill, openQueue } from "./queue.ts";

const ROUNDS = 5;
const QUEUED = 1000;
const TURNS = 1000;

export const claimAndSettle: Benchmark = async (place) => {
  const { perSecond } = await interleave(ROUNDS, { perSecond: () => measure(place.fresh("settle")) });
  return [
    { what: `claim and settle, ${QUEUED} jobs queued`, unit: "/s", samples: perSecond, budget: { atLeast: 1500 } },
  ];
};

async function measure(directory: string): Promise<number> {
  const store = await openQueue(directory);
  await fill(store, QUEUED + TURNS);
  const claimant = { workerId: "worker-bench", limit: 1 };
  let { claimed } = await store.settle([], claimant);
  const start = performance.now();
  for (let turn = 0; turn < TURNS; turn++) {
    const ends = claimed.map(({ id, lease }) => ({ id, lease, outcome: { kind: "exited", code: 0 } as const }));
    ({ claimed } = await store.settle(ends, claimant));
    if (claimed.length !== 1) throw new Error(`No job was claimed in turn ${turn}.`);
  }
  const seconds = (performance.now() - start) / 1000;
  await store.close();
  return TURNS / seconds;
}
