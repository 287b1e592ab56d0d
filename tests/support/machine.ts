/**
 * How `queuectl` is started as if on a machine of its own. A test build takes the name of its machine from the environment
 * (`failpoint.ts`): it believes no process of another machine can be seen, and does not see its jobs either, as it is
 * between real machines. That works for any user, in any container and on macOS, which real namespaces do not.
 */
import { join } from "node:path";
import { failingBundle } from "./failing-program.ts";

export interface Machine {
  /** What the words of a command are put behind. */
  readonly program: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dir, "..", "..");

/** This very machine, with the program as it is released. */
export const HERE: Machine = { program: [join(ROOT, "dist", "queuectl")], env: {} };

let bundle: Promise<string> | undefined;

export async function machineNamed(name: string): Promise<Machine> {
  bundle ??= failingBundle(join(ROOT, "src", "main.ts"));
  return { program: [process.execPath, await bundle], env: { QUEUECTL_MACHINE: name } };
}

/** The real thing, with the program as it is released: a host name and a pid namespace of its own. For root on Linux. */
export function namespaceNamed(name: string): Machine {
  const script = `hostname ${name} && exec "$@"`;
  const program = ["unshare", "--fork", "--pid", "--mount-proc", "--uts", "sh", "-c", script, "sh", ...HERE.program];
  return { program, env: {} };
}
