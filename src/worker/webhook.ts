/**
 * The body of a `__webhook` process: the job that tells a server how another job ended. It knows all that it says from its
 * environment, and opens no store. What may pass ends in exit code 75, and the queue tries again; what will not, in 64.
 */
import { writeFileSync } from "node:fs";
import { WILL_NOT_PASS } from "../job/hook.ts";

const DONE = 0;
const MAY_PASS = 75;
const TIMEOUT_MS = 30_000;
/** Of the answers that are the sender's fault, those that say: later. */
const LATER = [408, 425, 429];

export interface Delivery {
  readonly exitCode: number;
  /** What became of it, for the log of the job. */
  readonly sentence: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Sends what the environment says, once. `now` is when that is, in epoch ms. */
export async function deliver(env: Environment, now: number): Promise<Delivery> {
  const url = env.QUEUECTL_WEBHOOK_URL;
  if (!url) return { exitCode: WILL_NOT_PASS, sentence: "webhook_url is not set any more." };
  const body = JSON.stringify(messageOf(env, now));
  try {
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers: headersOf(env, { body, now }),
      // Whoever is told where to look next may be somebody else.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { status, statusText } = answer;
    await answer.body?.cancel();
    const exitCode = exitCodeOf(status);
    if (exitCode === MAY_PASS) askForDelay(env, answer.headers.get("retry-after"));
    return { exitCode, sentence: `${url} answered ${status} ${statusText}`.trimEnd() };
  } catch (error) {
    return {
      exitCode: MAY_PASS,
      sentence: `${url} did not answer: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function messageOf(env: Environment, now: number): object {
  return {
    event: env.JOB_STATE,
    sent_at: now,
    job: {
      id: env.JOB_ID,
      command: env.JOB_COMMAND,
      queue: env.JOB_QUEUE,
      state: env.JOB_STATE,
      attempts: Number(env.JOB_ATTEMPTS),
      ended_at: Number(env.JOB_ENDED_AT),
      ...(env.JOB_ERROR === undefined ? {} : { error: env.JOB_ERROR }),
    },
  };
}

function headersOf(
  { QUEUECTL_JOB_ID: id = "", QUEUECTL_WEBHOOK_SECRET: secret }: Environment,
  { body, now }: { body: string; now: number },
): Record<string, string> {
  const headers = {
    "Content-Type": "application/json",
    "User-Agent": "queuectl",
    "X-Queuectl-Timestamp": String(now),
    // An id may have characters that no header can.
    "X-Queuectl-Delivery": encodeURIComponent(id),
  };
  if (!secret) return headers;
  const hmac = new Bun.CryptoHasher("sha256", secret).update(body).digest("hex");
  return { ...headers, "X-Queuectl-Signature": `sha256=${hmac}` };
}

function exitCodeOf(status: number): number {
  if (status >= 200 && status < 300) return DONE;
  return status >= 500 || LATER.includes(status) ? MAY_PASS : WILL_NOT_PASS;
}

/** Passes on to the queue when the server wants to be asked again: as any job does that knows better than the backoff. */
function askForDelay({ QUEUECTL_RETRY_AFTER: path }: Environment, retryAfter: string | null): void {
  if (path && retryAfter && /^\d+$/.test(retryAfter)) writeFileSync(path, retryAfter, { mode: 0o600 });
}
