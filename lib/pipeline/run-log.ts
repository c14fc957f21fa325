import { z } from 'zod';
import { LakeletError } from '../errors.ts';
import type { Accounting } from '../quality/accounting.ts';
import { CODE_VERSION } from './code-version.ts';
import type { Context } from './context.ts';
import type { Column } from './dataset.ts';
import { appIdOf, commitInfoOf, committed, type StepIdentity } from './identity.ts';
import { openOrCreate, type TableSummary } from './table.ts';

/** The table that says what each step of each run did. */
export const RUNS = 'ops/runs';

/** Its columns: a row for each table that a step wrote, or one for a step that failed. */
export const RUNS_COLUMNS: readonly Column[] = [
  { name: 'run_id', type: 'string' },
  { name: 'step', type: 'string' },
  { name: 'status', type: 'string' },
  { name: 'table', type: 'string' },
  { name: 'version', type: 'long' },
  { name: 'rows', type: 'long' },
  { name: 'rows_in', type: 'long' },
  { name: 'rows_good', type: 'long' },
  { name: 'rows_quarantined', type: 'long' },
  { name: 'rows_duplicates', type: 'long' },
  { name: 'rows_rejected', type: 'long' },
  { name: 'started_at', type: 'timestamp' },
  { name: 'ended_at', type: 'timestamp' },
  { name: 'code_version', type: 'string' },
  { name: 'error_code', type: 'string' },
  { name: 'error', type: 'string' },
];

/** What a step answers: small, JSON, and the same when the step is repeated. */
export interface StepSummary {
  readonly runId: string;
  readonly step: string;
  readonly tables: readonly TableSummary[];
  readonly [name: string]: unknown;
}

/** What a step did. */
export interface StepResult {
  readonly summary: Omit<StepSummary, 'runId' | 'step'> & Pick<StepSummary, 'tables'>;
  /** What became of the run's own records, where the step decides that. */
  readonly accounting?: Accounting;
}

const SUMMARY = z.object({
  summary: z.looseObject({
    runId: z.string(),
    step: z.string(),
    tables: z.array(
      z.object({ table: z.string(), rows: z.number().nullable(), files: z.number(), version: z.number() }),
    ),
  }),
});

/**
 * Does a step once: a step that is found in `ops/runs` answers what it answered then. The entry is written last, so a step
 * that was stopped before it comes here again, and must take up what it finds of its own.
 *
 * @throws LakeletError `RUN_ID_REUSED` and what `work` throws
 */
export async function runOnce(
  context: Context,
  identity: StepIdentity,
  work: () => Promise<StepResult>,
): Promise<StepSummary> {
  const runs = await openOrCreate(context, RUNS, RUNS_COLUMNS);
  const before = await committed(runs, identity, SUMMARY);
  if (before !== undefined) {
    context.log.info({ runId: identity.runId }, 'was done before');
    return before.facts.summary;
  }
  const startedAt = new Date().toISOString();
  const { summary: told, accounting } = await work();
  const { runId, step } = identity;
  const summary: StepSummary = { runId, step, ...told };
  const entry = { run_id: runId, step, status: 'succeeded', started_at: startedAt, code_version: CODE_VERSION };
  const rows = summary.tables.map(({ table, version, rows: count }) => ({
    ...entry,
    table,
    version: BigInt(version),
    rows: count === null ? null : BigInt(count),
    ...(accounting !== undefined && fatesOf(accounting)),
    ended_at: new Date().toISOString(),
  }));
  const { alreadyCommitted } = await runs.append(
    { rows },
    { txn: { appId: appIdOf(identity) }, commitInfo: commitInfoOf(identity, { summary }) },
  );
  if (alreadyCommitted !== true) return summary;
  // Two processes did the same step at once; the one that wrote its entry first has the word.
  await runs.refresh();
  const first = await committed(runs, identity, SUMMARY);
  if (first === undefined) {
    throw new LakeletError(
      'LOG_CORRUPT',
      `${RUNS} says that it holds ${appIdOf(identity)}, and then that it does not.`,
    );
  }
  return first.facts.summary;
}

function fatesOf(accounting: Accounting): Record<string, bigint> {
  return {
    rows_in: BigInt(accounting.in),
    rows_good: BigInt(accounting.good),
    rows_quarantined: BigInt(accounting.quarantined),
    rows_duplicates: BigInt(accounting.duplicates),
    rows_rejected: BigInt(accounting.rejected),
  };
}
