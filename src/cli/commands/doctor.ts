import { QueueError } from "../../job/errors.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Check every file or table of the queue, and mend damaged files",
  arguments: [],
  options: [
    { name: "fix", summary: "Set damage aside and rebuild from everything that is whole" },
    { name: "yes", short: "y", summary: "Do not ask before it is mended" },
  ],
  examples: ["queuectl doctor", "queuectl doctor --fix", "queuectl doctor --fix --yes"],
  async run({ doctor: open, output, ask }, { options }) {
    const opened = await open();
    const { location } = opened;
    const examination = await opened.examine();
    if (!options.has("fix") || !(examination.sound || examination.mendable)) {
      await output.result({ view: "examination", location, examination });
      return examination.sound ? EXIT.ok : EXIT.storeUnreadable;
    }
    if (!examination.sound && !options.has("yes")) {
      await output.result({ view: "examination", location, examination });
      const answer = await ask("Rebuild it now?");
      if (answer === undefined)
        throw new QueueError("E_USAGE", "Nobody can be asked here. To mend without: --fix --yes");
      if (!answer) return EXIT.storeUnreadable;
    }
    await output.result({ view: "mending", location, mending: await opened.mend() });
    return EXIT.ok;
  },
};
