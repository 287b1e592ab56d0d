/**
 * A process that does to a store what it is told, and says on stdout, a JSON line at a time, what was acknowledged.
 * Tests run it with failpoints on, to crash or freeze it in the middle. `store-driver.ts <directory> <operation>…`:
 * `enqueue:<id>`, `enqueue-big:<id>`, `claim:<n>`, `finish` and `fail` (whatever it holds), `requeue:<id>`, `cancel:<id>`,
 * `remove:<id>`, `edit:<id>` (to the command `echo edited`), `set:<key>` (to 1), `prune`, `mend`; then it closes the store.
 */
import { writeSync } from "node:fs";
import { parseConfigKey } from "../../src/config.ts";
import type { Alteration } from "../../src/job/alteration.ts";
import { cancel, remove } from "../../src/job/control.ts";
import { edit } from "../../src/job/edit.ts";
import type { ProcessingJob } from "../../src/job/job.ts";
import { openDoctor, openStore } from "../../src/store/open.ts";
import { requeue } from "./requeue.ts";
/** What an operation was acknowledged with. */
export type Acknowledged =
  | { readonly enqueued: string }
  | { readonly claimed: { readonly id: string; readonly lease: number }[] }
  | { readonly ended: { readonly id: string; readonly event: string }[] }
  | { readonly requeued: string }
  | { readonly altered: string; readonly event: Alteration["event"] | undefined }
  | { readonly set: string };

const RULES = { cancel, remove, edit: edit({ to: { command: "echo edited" }, without: [] }) };

/** A few of these make a journal outgrow its snapshots. */
const BIG = `true ${"x".repeat(120_000)}`;

async function drive(directory: string, operations: readonly string[]): Promise<void> {
  const options = {
    dataDir: directory,
    cwd: directory,
    env: {},
    now: Date.now,
    random: Math.random,
    elapsed: () => performance.now(),
    warn: (sentence: string) => writeSync(2, `${sentence}\n`),
  };
  const store = await openStore(options);
  const claimant = { workerId: `driver-${process.pid}`, limit: 0 };
  let held: readonly ProcessingJob[] = [];
  for (const operation of operations) {
    const [verb, argument = ""] = operation.split(":");
    if (verb === "enqueue" || verb === "enqueue-big") {
      await store.enqueue([{ id: argument, command: verb === "enqueue" ? "true" : BIG }]);
      acknowledge({ enqueued: argument });
    } else if (verb === "claim") {
      const { claimed } = await store.settle([], { ...claimant, limit: Number(argument) });
      held = claimed;
      acknowledge({ claimed: claimed.map(({ id, lease }) => ({ id, lease })) });
    } else if (verb === "set") {
      await store.setConfig(parseConfigKey(argument), 1);
      acknowledge({ set: argument });
    } else if (verb === "prune") {
      await store.prune({ keep: 0 });
    } else if (verb === "mend") {
      await (await openDoctor(options)).mend();
    } else if (verb === "cancel" || verb === "remove" || verb === "edit") {
      const [done] = await store.alter([argument], RULES[verb]);
      acknowledge({ altered: argument, event: done?.event });
    } else if (verb === "requeue") {
      await requeue(store, [argument]);
      acknowledge({ requeued: argument });
    } else {
      const code = verb === "finish" ? 0 : 1;
      const { ended } = await store.settle(
        held.map(({ id, lease }) => ({ id, lease, outcome: { kind: "exited", code } })),
      );
      acknowledge({ ended: held.map(({ id }, index) => ({ id, event: ended[index]?.event ?? "nothing" })) });
      held = [];
    }
  }
  await store.close();
}

function acknowledge(what: Acknowledged): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

const [directory = "", ...operations] = process.argv.slice(2);
await drive(directory, operations);
