import { createHash } from 'node:crypto';
import { CODE_VERSION } from './code-version.ts';
import type { Context } from './context.ts';
import type { FailureEvent } from './events.ts';
import { toldBy } from './lambda-error.ts';
import { RUNS, RUNS_COLUMNS } from './run-log.ts';
import { openOrCreate } from './table.ts';

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
  const told = toldBy(cause);
  const row = {
    run_id: runId,
    step,
    status: 'failed',
    ended_at: new Date().toISOString(),
    code_version: CODE_VERSION,
    error_code: told?.code ?? error.replace(/^Lakelet\./, ''),
    error: told?.message ?? cause,
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
