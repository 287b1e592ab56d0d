/**
 * The connections to the server, and the only user of `Bun.SQL`. What is asked here may be asked more than once: a
 * connection that broke, a server that is starting, a deadlock are met by asking again, with backoff and jitter, until
 * patience runs out. So every question must be such that asking it twice does no harm, although its first answer was lost.
 */
import { SQL, type TransactionSQL } from "bun";
import { QueueError } from "../../job/errors.ts";
import type { PostgresAddress } from "./address.ts";

export interface DatabaseOptions {
  readonly address: PostgresAddress;
  readonly random: () => number;
  /** In ms, from any moment on; it goes forward, and evenly. */
  readonly elapsed: () => number;
  readonly warn: (sentence: string) => void;
}

interface Asking {
  /** How long one answer is waited for. Then the connection is given up as dead. */
  readonly timeoutMs?: number;
  /** How long it is asked again. */
  readonly patienceMs?: number;
}

/** What a listener is called with. */
interface Ears {
  readonly heard: (payload: string) => void;
  readonly begun: () => void;
}

const PATIENCE_MS = 15_000;
const ANSWER_MS = 30_000;
const RETRY_MS = { first: 20, longest: 1000 };
/** Whoever waits longer is told what for. */
const SILENT_MS = 1000;
const LISTEN_AGAIN_MS = 500;
const CONNECT_SECONDS = 5;
const IN_A_TRANSACTION_MS = 60_000;
/** Whoever waits for a lock for longer is asked to try again: until then, renewals wait behind him on the same connection. */
const LOCKED_MS = 1000;
const LOCK_NOT_AVAILABLE = "55P03";

/** Whatever goes by itself: a deadlock, a server that starts, stops or has no connection left, a cut connection. */
const PASSING_STATES = ["40001", "40P01", "53300", LOCK_NOT_AVAILABLE, "57P01", "57P02", "57P03", "25006"];
/** The names that OpenSSL and Node.js have for a certificate that does not convince. */
const CERTIFICATE_CODES =
  /^(?:ERR_TLS_CERT|CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH)/;
const LOST_CODES = /^ERR_POSTGRES_(CONNECTION_|IDLE_TIMEOUT|LIFETIME_TIMEOUT)/;

export class Database implements AsyncDisposable {
  readonly #options: DatabaseOptions;
  #sql: SQL;
  #listener: SQL | undefined;
  #again: Timer | undefined;
  #isClosed = false;
  /** How long a question is asked again unless it says otherwise. */
  patienceMs = PATIENCE_MS;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#sql = this.#connect();
  }

  /** For people. */
  get location(): string {
    return this.#options.address.shown;
  }

  get schema(): string {
    return this.#options.address.schema;
  }

  /** What `work` returns, once the server answered. Throws `E_STORE_IO`, with the server's refusal as its cause. */
  async ask<T>(work: (sql: SQL) => Promise<T>, asking: Asking = {}): Promise<T> {
    const { elapsed, random, warn } = this.#options;
    const { timeoutMs = ANSWER_MS, patienceMs = this.patienceMs } = asking;
    const since = elapsed();
    let told = false;
    for (let waitMs = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.longest)) {
      try {
        return await this.#askOnce(work, timeoutMs);
      } catch (error) {
        if (!isPassing(error)) throw this.#refused(error);
        const waitedMs = elapsed() - since;
        if (this.#isClosed || waitedMs >= patienceMs) throw await this.#unreachable(error);
        if (waitedMs >= SILENT_MS && !told) {
          warn(`The database does not answer; trying on for ${Math.ceil((patienceMs - waitedMs) / 1000)} s.`);
          told = true;
        }
        await Bun.sleep(waitMs * (0.5 + random()));
      }
    }
  }

  /** As `ask`, in one transaction. One that says how long it may take may spend all of it waiting for a lock. */
  async transact<T>(work: (sql: TransactionSQL) => Promise<T>, asking: Asking = {}): Promise<T> {
    const { timeoutMs } = asking;
    const begun = async (sql: TransactionSQL): Promise<T> => {
      if (timeoutMs !== undefined)
        await sql.unsafe(`SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL lock_timeout = 0`);
      return work(sql);
    };
    return (await this.ask((sql) => sql.begin(begun), asking)) as T;
  }

  /**
   * Calls `heard` with what is told on the channel, and `begun` whenever listening has begun, at first and after every
   * interruption, in which something may have been missed. Always true.
   */
  listen(channel: string, ears: Ears): true {
    // Left to itself the driver would listen anew, too, but after up to 32 s, and print what keeps it from that.
    const again = Promise.withResolvers<void>();
    const listener = this.#connect(() => again.resolve());
    this.#listener = listener;
    // Where the server knows no such thing there is nothing to wait for: workers then look by themselves.
    listener.listen(channel, ears.heard, ears.begun).catch((error) => isPassing(error) && again.resolve());
    void again.promise.then(async () => {
      await listener.close({ timeout: 0 });
      if (this.#isClosed) return;
      this.#again = setTimeout(() => this.listen(channel, ears), LISTEN_AGAIN_MS * (0.5 + this.#options.random()));
    });
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#again);
    await Promise.all([this.#sql.close({ timeout: 5 }), this.#listener?.close({ timeout: 0 })]);
  }

  async #askOnce<T>(work: (sql: SQL) => Promise<T>, timeoutMs: number): Promise<T> {
    const sql = this.#sql;
    const timer = setTimeout(() => this.#giveUp(sql), timeoutMs);
    try {
      return await work(sql);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What waits for an answer on it is told that the connection is lost. */
  #giveUp(sql: SQL): void {
    if (this.#sql === sql && !this.#isClosed) this.#sql = this.#connect();
    void sql.close({ timeout: 0 });
  }

  #connect(onclose = (): void => {}): SQL {
    const { url, schema, password, tls } = this.#options.address;
    return new SQL({
      url,
      max: 1,
      onclose,
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls }),
      connectionTimeout: CONNECT_SECONDS,
      connection: {
        search_path: schema,
        application_name: "queuectl",
        // The server does not see that somebody has given up. It would go on for him, and for each of his later askings.
        lock_timeout: LOCKED_MS,
        statement_timeout: ANSWER_MS,
        idle_in_transaction_session_timeout: IN_A_TRANSACTION_MS,
      },
    });
  }

  /** A login, a right, a full disk: what does not pass by itself. What is not the server's word is thrown on as it is. */
  #refused(error: unknown): unknown {
    if (isAboutCertificate(error)) {
      const message = `${this.#options.address.shown}: the server's certificate is refused: ${error.message}.`;
      const hint = "sslrootcert=/path/to/ca.crt in the address names whose certificates are trusted.";
      return new QueueError("E_STORE_IO", message, { cause: error, hint });
    }
    if (!(error instanceof SQL.PostgresError)) return error;
    return new QueueError("E_STORE_IO", `${this.#options.address.shown}: ${error.message.replace(/\.$/, "")}.`, {
      cause: error,
      ...(error.hint ? { hint: error.hint } : {}),
    });
  }

  async #unreachable(cause: unknown): Promise<QueueError> {
    const { shown, host } = this.#options.address;
    if (cause instanceof SQL.PostgresError && cause.errno === LOCK_NOT_AVAILABLE) {
      const hint = "A VACUUM FULL, a REINDEX, a migration? pg_locks in the database says who.";
      return new QueueError("E_STORE_IO", `${shown}: somebody holds a lock on what is needed.`, { cause, hint });
    }
    const isUnknown = host !== "" && !(await canBeFound(host));
    const reason = isUnknown ? `there is no host ${host}` : (cause as Error).message;
    return new QueueError("E_STORE_IO", `Cannot reach ${shown}: ${reason}.`, {
      cause,
      hint: isUnknown ? "Is the name right?" : "Does the server run there, and may this machine connect to it?",
    });
  }
}

/** The SQLSTATE with which the server refused what was asked. */
export function stateOf(error: unknown): string | undefined {
  const cause = error instanceof QueueError ? error.cause : undefined;
  return cause instanceof SQL.PostgresError ? cause.errno : undefined;
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof SQL.PostgresError)) return false;
  return error.errno === undefined ? LOST_CODES.test(error.code) : PASSING_STATES.includes(error.errno);
}

function isAboutCertificate(error: unknown): error is Error {
  return error instanceof Error && CERTIFICATE_CODES.test((error as NodeJS.ErrnoException).code ?? "");
}

async function canBeFound(host: string): Promise<boolean> {
  try {
    const { lookup } = await import("node:dns/promises");
    await lookup(host.replaceAll(/[[\]]/g, ""));
    return true;
  } catch {
    return false;
  }
}
