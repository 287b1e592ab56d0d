import { checkFullScreen, FullScreen } from "../../output/full-screen.ts";
import { keyLines } from "../../output/top/keys.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { mistake } from "../mistake.ts";
import { TopSession } from "../top/session.ts";

const INSTEAD = "For scripts there are: queuectl status, queuectl list (with --json, too)";

export const top: Command = {
  name: "top",
  summary: "Watch the queue on the whole screen: what runs, what is next and what failed",
  details: {
    title: "Keys",
    lines: [
      ...keyLines(),
      "What changes is shown at once, and the time each second. A queue that takes",
      "long to look at is looked at less often: for a tenth of the time, or every ten",
      "seconds.",
    ],
  },
  arguments: [],
  options: [],
  examples: ["queuectl top", "NO_COLOR=1 queuectl top"],
  async run({ store, output, json, env, now }) {
    if (json) throw mistake("top draws on a terminal, and prints no JSON.", INSTEAD);
    await checkFullScreen(env, { instead: INSTEAD });
    const session = await TopSession.begin(await store(), now);
    using _ = output.divert((sentence) => session.warn(sentence));
    using screen = await FullScreen.open(env, session);
    return (await session.run(screen)) === "left" ? EXIT.ok : EXIT.interrupted;
  },
};
