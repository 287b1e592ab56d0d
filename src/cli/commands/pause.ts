import { EVERY_QUEUE, parseQueueName } from "../../job/queue.ts";
import type { Command, Context } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const pause: Command = {
  name: "pause",
  summary: "Have no more jobs begun, of one queue or of all; what runs goes on",
  arguments: [{ name: "queue", required: false, offer: { names: "queues" } }],
  options: [],
  examples: ["queuectl pause deploy", "queuectl pause"],
  run: (context, { words }) => setPaused(context, words[0], true),
};

export const resume: Command = {
  name: "resume",
  summary: "Have jobs begun again, of one queue or of all",
  arguments: [{ name: "queue", required: false, offer: { names: "queues" } }],
  options: [],
  examples: ["queuectl resume deploy", "queuectl resume"],
  run: (context, { words }) => setPaused(context, words[0], false),
};

async function setPaused({ store, output }: Context, word: string | undefined, paused: boolean): Promise<number> {
  const name = word === undefined ? EVERY_QUEUE : parseQueueName(word);
  const opened = await store();
  const rule = await opened.setQueue(name, { paused });
  await output.result({ view: "queue-changed", name, rule });
  if (!paused) {
    const still = (await opened.queues()).filter((queue) => queue.paused).map((queue) => queue.name);
    if (still.includes(EVERY_QUEUE)) output.note("Every queue is still paused; to go on: queuectl resume");
    else if (word === undefined) for (const queue of still) output.note(`Still paused: queue ${queue}`);
  }
  return EXIT.ok;
}
