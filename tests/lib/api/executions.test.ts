import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { execute, LOST_AFTER } from '../../../lib/api/execute.ts';
import { type ExecutionRecord, lastAttempt } from '../../../lib/api/execution-record.ts';
import { type ExecutionRunner, lost, readExecution, startExecution } from '../../../lib/api/executions.ts';
import { lambdaRunner } from '../../../lib/api/lambda-runner.ts';
import { executionBody } from '../../../lib/api/schemas.ts';
import { LakeletError } from '../../../lib/errors.ts';
import { MemoryStore } from '../../../lib/storage/index.ts';

let lake: MemoryStore;
let started: ExecutionRecord[];
let isOver: boolean;
let runner: ExecutionRunner;

beforeEach(() => {
  lake = new MemoryStore();
  started = [];
  isOver = false;
  runner = {
    start: async (record) => {
      started.push(record);
    },
    follow: async (record) => (isOver ? lost(record) : record),
  };
});

function start(body: object) {
  return startExecution(lake, runner, executionBody.parse(body));
}

describe('an execution', () => {
  test('is started with the defaults of a run, under an id that is made up where none is given', async () => {
    const answer = await start({ rows: 5 });
    expect(answer).toMatchObject({
      status: 'RUNNING',
      attempt: 1,
      input: {
        runId: answer.id,
        rows: 5,
        seed: 42,
        shards: 1,
        algorithm: 'forest',
        trees: 100,
        maxDepth: 10,
        split: 'random',
        baseline: false,
      },
    });
    expect(answer.id).toMatch(/^[\da-f-]{36}$/);
    expect(started).toHaveLength(1);
    expect(await readExecution(lake, runner, answer.id)).toEqual(answer);
  });

  test('is started once for its id, also by many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => start({ runId: 'once', rows: 5 })));
    expect(started).toHaveLength(1);
    expect(new Set(answers.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });

  test('is not started again when it is done, and the same input may name its defaults', async () => {
    await start({ runId: 'done', rows: 5 });
    await execute(lake, { id: 'done', attempt: 1 }, async () => ({ status: 'SUCCEEDED', output: { rows: 5 } }));
    expect(await start({ runId: 'done', rows: 5, seed: 42 })).toMatchObject({
      status: 'SUCCEEDED',
      output: { rows: 5 },
    });
    expect(started).toHaveLength(1);
  });

  test('is refused where its id stands for another input', async () => {
    await start({ runId: 'r', rows: 5 });
    await expect(start({ runId: 'r', rows: 6 })).rejects.toMatchObject({ code: 'RUN_ID_REUSED' });
  });

  test('that failed is tried again with the same id, and its record tells of the last attempt', async () => {
    await start({ runId: 'r' });
    const cause = JSON.stringify({ errorType: 'Lakelet.STORE_FULL', errorMessage: 'No space' });
    await execute(lake, { id: 'r', attempt: 1 }, async () => ({
      status: 'FAILED',
      error: 'Lakelet.STORE_FULL',
      cause,
    }));
    expect(await readExecution(lake, runner, 'r')).toMatchObject({
      status: 'FAILED',
      error: { code: 'STORE_FULL', message: 'No space' },
      endedAt: expect.any(String),
    });
    expect(await start({ runId: 'r' })).toMatchObject({ status: 'RUNNING', attempt: 2 });
    expect(started.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('that throws is a failure in its record, not of what executes it', async () => {
    await start({ runId: 'r' });
    const ended = await execute(lake, { id: 'r', attempt: 1 }, async () => {
      throw new LakeletError('DEFINITION_INVALID', 'It is broken');
    });
    expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'DEFINITION_INVALID', message: 'It is broken' } });
    expect(await lastAttempt(lake, 'r')).toEqual(ended);
  });

  test('whose start fails is no execution that runs', async () => {
    runner = { ...runner, start: () => Promise.reject(new LakeletError('EXECUTION_NOT_STARTED', 'Nobody is there')) };
    await expect(start({ runId: 'r' })).rejects.toMatchObject({ code: 'EXECUTION_NOT_STARTED' });
    expect(await readExecution(lake, runner, 'r')).toMatchObject({ status: 'FAILED' });
  });

  test('that nothing is heard of is lost, and can be started again', async () => {
    await start({ runId: 'r' });
    isOver = true;
    expect(await readExecution(lake, runner, 'r')).toMatchObject({
      status: 'FAILED',
      error: { code: 'EXECUTION_LOST' },
    });
    expect(await start({ runId: 'r' })).toMatchObject({ attempt: 2 });
  });

  test('that ended is not executed again', async () => {
    await start({ runId: 'r' });
    const run = async () => ({ status: 'SUCCEEDED' as const, output: 1 });
    await execute(lake, { id: 'r', attempt: 1 }, run);
    const again = execute(lake, { id: 'r', attempt: 1 }, async () => ({ status: 'SUCCEEDED', output: 2 }));
    expect(await again).toMatchObject({ output: 1 });
  });

  test('may have any id that a run may have', async () => {
    for (const runId of ['...', '.a', 'a:b', 'a.1', 'a', '-', 'x'.repeat(100)]) {
      await start({ runId });
      expect(await readExecution(lake, runner, runId)).toMatchObject({ id: runId, attempt: 1 });
    }
  });

  test('that was never started is not found', async () => {
    await expect(readExecution(lake, runner, 'nope')).rejects.toMatchObject({ code: 'EXECUTION_NOT_FOUND' });
  });
});

describe('the runner over a Lambda function', () => {
  const record = (updatedAt: number): ExecutionRecord => ({
    id: 'r',
    attempt: 1,
    status: 'RUNNING',
    input: {},
    startedAt: new Date(updatedAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  });

  test('takes an attempt for lost after a while without a word', async () => {
    const over = lambdaRunner('http://127.0.0.1:1/x');
    expect(await over.follow(record(Date.now()))).toMatchObject({ status: 'RUNNING' });
    expect(await over.follow(record(Date.now() - LOST_AFTER - 1000))).toMatchObject({
      status: 'FAILED',
      error: { code: 'EXECUTION_LOST' },
    });
  });

  test('says that nobody serves the function', async () => {
    await expect(lambdaRunner('http://127.0.0.1:1/x').start(record(0))).rejects.toMatchObject({
      code: 'EXECUTION_NOT_STARTED',
      retryable: true,
    });
  });
});

describe('the words of an attempt', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('come again and again until it ends, and none after that', async () => {
    await start({ runId: 'r' });
    const before = await lastAttempt(lake, 'r');
    jest.useFakeTimers();
    let end: (output: string) => void = () => undefined;
    const ended = execute(lake, { id: 'r', attempt: 1 }, async () => ({
      status: 'SUCCEEDED',
      output: await new Promise<string>((resolve) => {
        end = resolve;
      }),
    }));
    await jest.advanceTimersByTimeAsync(LOST_AFTER);
    const during = await lastAttempt(lake, 'r');
    expect(during?.status).toBe('RUNNING');
    expect(Date.parse(during?.updatedAt ?? '')).toBeGreaterThan(Date.parse(before?.updatedAt ?? ''));
    end('done');
    await ended;
    await jest.advanceTimersByTimeAsync(LOST_AFTER);
    expect(await lastAttempt(lake, 'r')).toMatchObject({ status: 'SUCCEEDED', output: 'done' });
  });

  test('that can not be written do not end the attempt', async () => {
    await start({ runId: 'r' });
    jest.useFakeTimers();
    let fails = true;
    const flaky = Object.assign(Object.create(lake), {
      put: (key: string, body: Uint8Array) =>
        fails
          ? Promise.reject(new LakeletError('STORE_FAILED', 'No'))
          : MemoryStore.prototype.put.call(lake, key, body),
    });
    const ended = execute(flaky, { id: 'r', attempt: 1 }, async () => {
      await jest.advanceTimersByTimeAsync(LOST_AFTER);
      fails = false;
      return { status: 'SUCCEEDED', output: null };
    });
    expect(await ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(await lastAttempt(lake, 'r')).toMatchObject({ status: 'SUCCEEDED' });
  });
});
