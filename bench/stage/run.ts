/** Runs programs to their end, and says how long that took. */
import type { Place } from "./place.ts";

/** From the start of the process to its end, in ms. Throws what it complained of when it fails. */
export function timeOf(command: readonly string[], options: { env?: Record<string, string> } = {}): number {
  const start = performance.now();
  const { success, exitCode, stderr } = Bun.spawnSync([...command], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { ...process.env, ...options.env },
  });
  const ms = performance.now() - start;
  if (!success) throw new Error(complaint(command, exitCode, stderr.toString()));
  return ms;
}

/** The same for a program that works for a while: this process stays awake meanwhile. Also returns what it printed. */
export async function run(
  place: Place,
  command: readonly string[],
  options: { env?: Record<string, string> } = {},
): Promise<{ ms: number; stdout: string }> {
  const start = performance.now();
  const child = place.adopt(
    Bun.spawn([...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...options.env },
    }),
  );
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(complaint(command, code, stderr));
  return { ms, stdout };
}

function complaint([program = "", ...words]: readonly string[], code: number, stderr: string): string {
  const said = stderr.trim().split("\n")[0];
  const name = [program.split("/").at(-1), words[0]].filter(Boolean).join(" ");
  return `${name} ended with exit code ${code}${said ? `: ${said}` : "."}`;
}
