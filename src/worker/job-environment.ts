/**
 * What a worker gets of the environment, and what it hands on. Everything that is queuectl's own stays behind: it steers
 * this program and not the jobs, and may be a secret of it. A job gets five such variables anew, which tell it what it is
 * (run-command.ts), and nothing else can then pass for one of them.
 */
import type { Config } from "../config.ts";
import { shellLine } from "../job/shell-word.ts";
import { self } from "./self.ts";

const OWN_PREFIX = "QUEUECTL_";

/**
 * For the runtime of a worker: no helper thread that touches pages of the heap before they are needed, for a worker's heap
 * stays small, and that thread takes 3 % of the processor time of a worker and its jobs; no compiler of the last resort, which
 * takes another 3 to 5 % and never earns them, for a worker mostly waits for calls to the system; and no collection of garbage
 * each second whether there is any or not, which takes a quarter of the time of an idle one.
 */
const FOR_WORKERS = {
  BUN_JSC_useWarmUpMarkedBlocks: "0",
  BUN_JSC_useFTLJIT: "0",
  BUN_GC_TIMER_DISABLE: "1",
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that a supervisor starts a worker with. */
export function environmentForWorkers(env: Environment): Environment {
  return { ...env, ...FOR_WORKERS };
}

/** The variables that every job gets. */
export function environmentForJobs(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith(OWN_PREFIX) && !Object.hasOwn(FOR_WORKERS, name)),
  );
}

/** What the job that tells a server gets besides: nobody else need know the secret. */
export function environmentForWebhook({ webhook_url, webhook_secret }: Config): Environment {
  return {
    QUEUECTL_PROGRAM: shellLine(self),
    QUEUECTL_WEBHOOK_URL: webhook_url,
    QUEUECTL_WEBHOOK_SECRET: webhook_secret,
  };
}
