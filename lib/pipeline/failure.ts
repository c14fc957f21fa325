import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CODE_VERSION } from './code-version.ts';
import type { Context } from './context.ts';
import type { FailureEvent } from './events.ts';
import { RUNS, RUNS_COLUMNS } from './run-log.ts';
import { openOrCreate } from './table.ts';

const LAMBDA_ERROR = z.object({ errorMessage: z.string() });

/**
 * Notes in `ops/runs` that a step failed for good, and why. The same failure of a run is noted once.
 *
 * @throws LakeletError what the table throws; the state machine keeps the step's own error all the same
 */
export async function recordFailure(
  context: Context,
  event: FailureEvent,
): Promise<{ runId: string; step: string; table: string; version: number }> {
  const { runId, step, error, cause } = event;
  const runs = await openOrCreate(context, RUNS, RUNS_COLUMNS);
  const row = {
    run_id: runId,
    step,
    status: 'failed',
    ended_at: new Date().toISOString(),
    code_version: CODE_VERSION,
    error_code: error.replace(/^Lakelet\./, ''),
    error: messageIn(cause),
  };
  const failure = createHash('sha256')
    .update(JSON.stringify([error, cause]))
    .digest('hex');
  const { version } = await runs.append(
    { rows: [row] },
    { txn: { appId: `lakelet/${runId}/${step}/failed/${failure}` } },
  );
  return { runId, step, table: RUNS, version };
}

/** The message in what Lambda tells of an error; the text itself where it is no such JSON. */
function messageIn(cause: string): string {
  let json: unknown;
  try {
    json = JSON.parse(cause);
  } catch {
    return cause;
  }
  const told = LAMBDA_ERROR.safeParse(json);
  return told.success ? told.data.errorMessage : cause;
}
