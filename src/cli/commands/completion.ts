import { QueueError } from "../../job/errors.ts";
import { shown } from "../../job/shown.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const completion: Command = {
  name: "completion",
  summary: "Print what a shell is to read to complete queuectl",
  details: {
    title: "To have it in every shell",
    lines: [
      "bash  source <(queuectl completion bash)     in ~/.bashrc",
      "zsh   source <(queuectl completion zsh)      in ~/.zshrc",
      "fish  queuectl completion fish | source      in ~/.config/fish/config.fish",
      "Commands, options, their values, files and the ids of jobs are completed. For",
      "ids the queue is read, and neither made nor changed.",
    ],
  },
  arguments: [{ name: "shell", required: true, offer: { words: SHELLS } }],
  options: [],
  examples: ["source <(queuectl completion bash)"],
  async run({ output }, { words: [word] }) {
    const shell = SHELLS.find((one) => one === word);
    if (shell === undefined) {
      throw new QueueError("E_USAGE", `Expected <shell> to be one of ${SHELLS.join(", ")}, got ${shown(word)}.`);
    }
    const { SCRIPTS } = await import("../completion/scripts.ts");
    await output.result({ view: "completion", shell, script: SCRIPTS[shell] });
    return EXIT.ok;
  },
};
