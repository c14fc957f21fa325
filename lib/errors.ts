/** What went wrong, as a stable word that scripts may test. The list grows; a code never changes its meaning. */
export type ErrorCode = string;

/** Extra facts of a {@link LakeletError}. */
export interface LakeletErrorOptions {
  /** True where the same call may succeed when it is made again (throttling, a lost connection, a conflict that another try would rebase). */
  readonly retryable?: boolean;
  /** What was thrown below. */
  readonly cause?: unknown;
}

/**
 * The one class of error that leaves `lib`. Its message is one line that says what failed, where (table, version, file)
 * and what to do next; text that came from outside is passed through {@link printable} before it goes in.
 */
export class LakeletError extends Error {
  /** A stable word in capitals, for example `TABLE_NOT_FOUND`. */
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: LakeletErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LakeletError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The error as a {@link LakeletError}: itself where it is one, else wrapped under `code` with its message. */
export function asLakeletError(error: unknown, code: ErrorCode, what: string): LakeletError {
  if (error instanceof LakeletError) return error;
  return new LakeletError(code, `${what}: ${printable(messageOf(error))}`, { cause: error });
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node.js system error (`ENOENT`, `EEXIST`, …), if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Outside text made fit for one line of a terminal or a log: control characters, line breaks and bidirectional
 * overrides become visible escapes, and more than `limit` characters are cut.
 */
export function printable(text: string, limit = 500): string {
  const escaped = text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being looked for
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => (c === '\n' ? '\\n' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  return escaped.length > limit ? `${escaped.slice(0, limit)}…` : escaped;
}
