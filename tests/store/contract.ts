/**
 * The meaning of `src/store/store.ts`: one suite that every store passes. A store's own test file calls `storeContract`
 * with a harness; the sentences are in `contract/`, one file a part of the interface.
 */
import { afterAll, describe, test } from "bun:test";
import { alterContract } from "./contract/alter.ts";
import { Bench, type Contract, type StoreHarness } from "./contract/bench.ts";
import { changedEntriesContract } from "./contract/changed-entries.ts";
import { changesContract } from "./contract/changes.ts";
import { claimContract } from "./contract/claim.ts";
import { configContract } from "./contract/config.ts";
import { dependenciesContract } from "./contract/dependencies.ts";
import { differentialContract } from "./contract/differential.ts";
import { endContract } from "./contract/end.ts";
import { enqueueContract } from "./contract/enqueue.ts";
import { hooksContract } from "./contract/hooks.ts";
import { keysContract } from "./contract/keys.ts";
import { logContract } from "./contract/logs.ts";
import { presenceContract } from "./contract/presence.ts";
import { queuesContract } from "./contract/queues.ts";
import { readContract } from "./contract/read.ts";
import { requeueContract } from "./contract/requeue.ts";
import { retentionContract } from "./contract/retention.ts";
import { schedulesContract } from "./contract/schedules.ts";
import { transferContract } from "./contract/transfer.ts";

export type { OpenOptions } from "./contract/bench.ts";

const PARTS: readonly [part: string, contract: Contract][] = [
  ["enqueue", enqueueContract],
  ["claiming", claimContract],
  ["the end of an attempt", endContract],
  ["requeue", requeueContract],
  ["changing by hand", alterContract],
  ["reading", readContract],
  ["pruning", retentionContract],
  ["moving", transferContract],
  ["queues", queuesContract],
  ["schedules", schedulesContract],
  ["dependencies", dependenciesContract],
  ["hooks", hooksContract],
  ["keys", keysContract],
  ["config", configContract],
  ["presence", presenceContract],
  ["changes", changesContract],
  ["entries that have changed", changedEntriesContract],
  ["logs", logContract],
  ["compared with the memory store", differentialContract],
];

/** Longer than any wait inside, so that a wait that is in vain says itself what for. */
const TIMEOUT_MS = 60_000;

/** Holds the store that `harness` opens to the contract, as tests of the calling file. */
export function storeContract(name: string, harness: StoreHarness): void {
  describe(`the ${name} store`, () => {
    afterAll(() => harness.dispose());
    for (const [part, contract] of PARTS) {
      describe(part, () => {
        for (const [sentence, check] of Object.entries(contract)) {
          const run = async (): Promise<void> => {
            await using bench = await Bench.open(harness);
            await check(bench);
          };
          test(sentence, run, TIMEOUT_MS);
        }
      });
    }
  });
}
