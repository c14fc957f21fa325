import { LakeletError, printable } from '../errors.ts';
import type { ExecutionResult } from './execution.ts';

/**
 * The error of an execution that did not succeed. What a step threw comes back under its own code and message, whichever
 * runner it ran on; anything else is `RUN_FAILED`.
 *
 * @param place where a runner elsewhere tells more, for example an execution's ARN
 */
export function failureOf(result: Exclude<ExecutionResult, { status: 'SUCCEEDED' }>, place?: string): LakeletError {
  const more = place === undefined ? 'the logs tell more' : `${printable(place, 300)} and its logs tell more`;
  if (result.status === 'ABORTED') {
    return new LakeletError(
      'INTERRUPTED',
      'The run was stopped before its end; what it committed stays, and the next run goes on from there',
    );
  }
  return result.thrown instanceof LakeletError ? result.thrown : ofCause(result, more);
}

function ofCause({ error, cause, thrown }: Extract<ExecutionResult, { status: 'FAILED' }>, more: string): LakeletError {
  const told = toldBy(cause);
  const [, code] = /^Lakelet\.(\w+)$/.exec(error) ?? [];
  if (code !== undefined && told !== undefined) {
    const retryable = code === 'Retryable';
    return new LakeletError(retryable ? (told.code ?? 'RUN_FAILED') : code, told.message, { retryable });
  }
  return new LakeletError(
    'RUN_FAILED',
    `The run failed with ${printable(error, 100)}: ${printable(told?.message ?? cause)}; ${more}`,
    { cause: thrown },
  );
}

/** What Lambda tells of an error, in JSON text. */
export interface ToldError {
  readonly message: string;
  /** The error's name. */
  readonly type?: string;
  /** The code of a LakeletError, whose name may tell no more than that another try may pass. */
  readonly code?: string;
}

/** Reads what Lambda tells of an error; undefined where it is no such JSON. */
export function toldBy(cause: string): ToldError | undefined {
  let json: unknown;
  try {
    json = JSON.parse(cause);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || !('errorMessage' in json)) return undefined;
  if (typeof json.errorMessage !== 'string') return undefined;
  const type = 'errorType' in json && typeof json.errorType === 'string' ? json.errorType : '';
  const trace = 'trace' in json && Array.isArray(json.trace) ? String(json.trace[0]) : '';
  // A handler of ours puts both there; serverless-offline tells an error's class in place of its name.
  const [, name = type, code] = /^(Lakelet\.\w+) \[(\w+)\]: /.exec(trace) ?? [];
  return { message: json.errorMessage, ...(name !== '' && { type: name }), ...(code !== undefined && { code }) };
}
