import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { asLakeletError, LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import { type ExecutionRecord, lastAttempt, note, noteBegin } from './execution-record.ts';
import type { executionAnswer, executionBody } from './schemas.ts';

/** What executes the state machine on behalf of the API. */
export interface ExecutionRunner {
  /** Starts an attempt, whose record is there; starting it again does no harm. */
  start(record: ExecutionRecord): Promise<void>;
  /** What has become of an attempt whose record says that it runs. */
  follow(record: ExecutionRecord): Promise<ExecutionRecord>;
}

type Answer = z.output<typeof executionAnswer>;

/**
 * Starts a run, once for its id: one that is under way or done is told as it is, one that failed is tried again.
 *
 * @throws LakeletError `RUN_ID_REUSED` where the id stands for another input, `EXECUTION_NOT_STARTED`
 */
export async function startExecution(
  lake: ObjectStore,
  runner: ExecutionRunner,
  body: z.output<typeof executionBody>,
): Promise<Answer> {
  const id = body.runId ?? randomUUID();
  const input = { ...body, runId: id };
  for (;;) {
    const last = await lastAttempt(lake, id);
    if (last !== undefined) {
      if (!isDeepStrictEqual(last.input, input)) throw reused(id);
      const present = await followed(runner, last);
      if (present.status !== 'FAILED') return answerOf(present);
    }
    const now = new Date().toISOString();
    const attempt = (last?.attempt ?? 0) + 1;
    const record: ExecutionRecord = { id, status: 'RUNNING', attempt, input, startedAt: now, updatedAt: now };
    // Where another process was first with this attempt, its execution is the one.
    if (await noteBegin(lake, record)) return answerOf(await begin(lake, runner, record));
  }
}

/**
 * An execution as it stands.
 *
 * @throws LakeletError `EXECUTION_NOT_FOUND`
 */
export async function readExecution(lake: ObjectStore, runner: ExecutionRunner, id: string): Promise<Answer> {
  const last = await lastAttempt(lake, id);
  if (last !== undefined) return answerOf(await followed(runner, last));
  throw new LakeletError(
    'EXECUTION_NOT_FOUND',
    `No execution with the id ${printable(id, 100)} was started here; POST /executions starts one`,
  );
}

async function begin(lake: ObjectStore, runner: ExecutionRunner, record: ExecutionRecord): Promise<ExecutionRecord> {
  try {
    await runner.start(record);
    return record;
  } catch (thrown) {
    const error = asLakeletError(thrown, 'EXECUTION_NOT_STARTED', 'The execution could not be started');
    await note(lake, failed(record, error));
    throw error;
  }
}

async function followed(runner: ExecutionRunner, record: ExecutionRecord): Promise<ExecutionRecord> {
  return record.status === 'RUNNING' ? runner.follow(record) : record;
}

/** The record of an attempt that failed. */
export function failed(record: ExecutionRecord, { code, message }: LakeletError): ExecutionRecord {
  const now = new Date().toISOString();
  return { ...record, status: 'FAILED', updatedAt: now, endedAt: now, error: { code, message } };
}

/** The record of an attempt that nothing is heard of any more. */
export function lost(record: ExecutionRecord): ExecutionRecord {
  return {
    ...record,
    status: 'FAILED',
    error: {
      code: 'EXECUTION_LOST',
      message:
        'What executed the run ended before it did; what it committed stays, and starting it again with the same run id and input goes on from there',
    },
  };
}

function answerOf({ updatedAt, ...answer }: ExecutionRecord): Answer {
  return answer;
}

function reused(id: string): LakeletError {
  return new LakeletError(
    'RUN_ID_REUSED',
    `The run id ${printable(id, 100)} stands for another input already; give another run id, or the same input`,
  );
}
