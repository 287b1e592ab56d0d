/** The stable names of everything that can go wrong in operation; `cli/exit-code.ts` maps each to an exit code. */
export type ErrorCode =
  | "E_USAGE"
  | "E_JOB_NOT_FOUND"
  | "E_KEY_NOT_FOUND"
  | "E_JOB_EXISTS"
  /** The state that a job is in does not allow what was asked for. */
  | "E_JOB_STATE"
  | "E_SCHEDULE_NOT_FOUND"
  | "E_SCHEDULE_EXISTS"
  | "E_STORE_NOT_EMPTY"
  | "E_STORE_LOCKED"
  | "E_STORE_CORRUPT"
  | "E_STORE_VERSION"
  | "E_STORE_IO"
  | "E_STREAM"
  | "E_OUTPUT";

/**
 * An operational error: something a person can act on. The message says what happened and with which value, the hint
 * what to do. Anything else that is thrown is a bug and keeps its stack.
 */
export class QueueError extends Error {
  override readonly name = "QueueError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Lines that another program printed, which belong to the message. The message itself is one line. */
  readonly quoted: readonly string[];
  /** Of several things that were asked for in one call, the place of the one that it is about. */
  readonly index: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; quoted?: readonly string[]; index?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.quoted = options.quoted ?? [];
    this.index = options.index;
  }
}

/** Makes a `switch` that forgets a kind fail to compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
