/**
 * What a worker hands on of its own environment. Everything that is queuectl's own stays behind: it steers this program
 * and not the jobs, and may be a secret of it. A job gets five such variables anew, which tell it what it is
 * (run-command.ts), and nothing else can then pass for one of them.
 */
const OWN_PREFIX = "QUEUECTL_";

/** The variables that every job gets. */
export function environmentForJobs(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith(OWN_PREFIX)));
}
