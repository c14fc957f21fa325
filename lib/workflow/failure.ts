import { LakeletError, printable } from '../errors.ts';
import { toldBy } from '../pipeline/lambda-error.ts';
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
    const by = result.reason === undefined ? '' : ` (${printable(result.reason, 300)})`;
    return new LakeletError(
      'INTERRUPTED',
      `The run was stopped before its end${by}; what it committed stays, and the same run id goes on from there`,
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

/** How an execution ended that was stopped, by what Step Functions tells of it. */
export function abortedWith(told: {
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}): Extract<ExecutionResult, { status: 'ABORTED' }> {
  const reason = [told.error, told.cause].filter(Boolean).join(': ');
  return { status: 'ABORTED', ...(reason !== '' && { reason }) };
}
