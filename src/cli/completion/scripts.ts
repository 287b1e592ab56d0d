import bash from "./queuectl.bash" with { type: "text" };
import fish from "./queuectl.fish" with { type: "text" };
import zsh from "./queuectl.zsh" with { type: "text" };

/** What each shell is to read to complete `queuectl`: it then asks the program itself (offers.ts). */
export const SCRIPTS = { bash, zsh, fish } as const;
