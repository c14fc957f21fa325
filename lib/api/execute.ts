import { z } from 'zod';
import { asLakeletError } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import { type ExecutionResult, failureOf } from '../workflow/index.ts';
import { type ExecutionRecord, note, readAttempt } from './execution-record.ts';
import { failed } from './executions.ts';

/** Which attempt to execute. */
export const executeEvent = z.strictObject({ id: z.string(), attempt: z.int().min(1) });

/** How often an attempt says that it is alive, in milliseconds. */
const BEAT = 10_000;

/** After so long without a word an attempt counts as lost, in milliseconds. */
export const LOST_AFTER = 6 * BEAT;

/**
 * Executes an attempt that the API noted, and keeps its record up to date until it ends.
 *
 * @param run executes the state machine over the input given
 * @returns how it ended
 * @throws LakeletError `NOT_FOUND`, and what the store throws; that the run failed is a result
 */
export async function execute(
  lake: ObjectStore,
  { id, attempt }: z.output<typeof executeEvent>,
  run: (input: unknown) => Promise<ExecutionResult>,
): Promise<ExecutionRecord> {
  const record = await readAttempt(lake, id, attempt);
  if (record.status !== 'RUNNING') return record;
  const stop = beat(lake, record);
  const ended = await outcomeOf(record, run);
  // A word that is still under way must not come after the last one.
  await stop();
  await note(lake, ended);
  return ended;
}

/** Says again and again that the attempt is alive; the function returned ends that. */
function beat(lake: ObjectStore, record: ExecutionRecord): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A word that is lost is made up for by the next one, or by the end.
    last = last.then(() => note(lake, { ...record, updatedAt: new Date().toISOString() })).catch(() => undefined);
  }, BEAT);
  return () => {
    clearInterval(timer);
    return last;
  };
}

async function outcomeOf(
  record: ExecutionRecord,
  run: (input: unknown) => Promise<ExecutionResult>,
): Promise<ExecutionRecord> {
  try {
    const result = await run(record.input);
    if (result.status !== 'SUCCEEDED') throw failureOf(result);
    const now = new Date().toISOString();
    return { ...record, status: 'SUCCEEDED', updatedAt: now, endedAt: now, output: result.output };
  } catch (thrown) {
    return failed(record, asLakeletError(thrown, 'RUN_FAILED', 'The run failed'));
  }
}
