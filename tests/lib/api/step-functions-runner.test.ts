import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LOST_AFTER } from '../../../lib/api/execute.ts';
import type { ExecutionRecord } from '../../../lib/api/execution-record.ts';
import type { ExecutionRunner } from '../../../lib/api/executions.ts';
import { stepFunctionsRunner } from '../../../lib/api/step-functions-runner.ts';
import { refuse, type StepFunctionsDouble, startStepFunctionsDouble } from '../workflow/step-functions-double.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:lakelet-test';
const SETTINGS = ['AWS_ENDPOINT_URL_SFN', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

let service: StepFunctionsDouble;
let runner: ExecutionRunner;

beforeEach(async () => {
  service = await startStepFunctionsDouble();
  process.env.AWS_ENDPOINT_URL_SFN = service.uri;
  process.env.AWS_ACCESS_KEY_ID = 'any';
  process.env.AWS_SECRET_ACCESS_KEY = 'any';
  runner = stepFunctionsRunner(MACHINE);
});

afterEach(async () => {
  await service.close();
  for (const name of SETTINGS) delete process.env[name];
});

function record(more: Partial<ExecutionRecord> = {}): ExecutionRecord {
  const now = new Date().toISOString();
  return { id: 'r', attempt: 1, status: 'RUNNING', input: { runId: 'r' }, startedAt: now, updatedAt: now, ...more };
}

/** Answers DescribeExecution so. */
function described(answer: object): void {
  service.fail = (call: string, response: ServerResponse) => {
    if (call !== 'DescribeExecution') return false;
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ startDate: 1, ...answer }));
    return true;
  };
}

describe('the runner on Step Functions', () => {
  test('starts each attempt by a name of its own, which Step Functions takes, and finds it by that', async () => {
    const ids = ['r', 'a:b', 'a_b', '..', 'x'.repeat(100)];
    for (const id of ids) for (const attempt of [1, 2]) await runner.start(record({ id, attempt }));
    const names = service.calls.map(({ body }) => String(body.name));
    expect(new Set(names).size).toBe(2 * ids.length);
    for (const name of names) expect(name).toMatch(/^[\w.-]{1,80}$/);
    expect(service.calls[0]?.body).toMatchObject({ stateMachineArn: MACHINE, input: '{"runId":"r"}' });
    described({ status: 'RUNNING' });
    await runner.follow(record());
    expect(service.calls.at(-1)?.body.executionArn).toBe(`${MACHINE.replace('stateMachine', 'execution')}:${names[0]}`);
  });

  test('tells output and end of an execution that succeeded', async () => {
    described({ status: 'SUCCEEDED', output: '{"rows":1}', stopDate: 86_400 });
    expect(await runner.follow(record())).toMatchObject({
      status: 'SUCCEEDED',
      output: { rows: 1 },
      endedAt: '1970-01-02T00:00:00.000Z',
    });
  });

  test('tells the error of one that failed, took too long or was stopped', async () => {
    const cause = JSON.stringify({ errorType: 'Lakelet.STORE_FULL', errorMessage: 'No space' });
    described({ status: 'FAILED', error: 'Lakelet.STORE_FULL', cause, stopDate: 2 });
    const error = { code: 'STORE_FULL', message: 'No space' };
    expect(await runner.follow(record())).toMatchObject({ status: 'FAILED', error });
    described({ status: 'TIMED_OUT', stopDate: 2 });
    const timedOut = { code: 'RUN_FAILED', message: expect.stringContaining('States.Timeout') };
    expect(await runner.follow(record())).toMatchObject({ status: 'FAILED', error: timedOut });
    described({ status: 'ABORTED', cause: 'by Ann', stopDate: 2 });
    const stopped = { code: 'INTERRUPTED', message: expect.stringContaining('(by Ann)') };
    expect(await runner.follow(record())).toMatchObject({ status: 'FAILED', error: stopped });
  });

  test('waits for an execution that is not there yet, and not for ever', async () => {
    service.fail = (call, response) => call === 'DescribeExecution' && refuse(response, 400, 'ExecutionDoesNotExist');
    const now = record();
    expect(await runner.follow(now)).toEqual(now);
    const long = record({ startedAt: new Date(Date.now() - 2 * LOST_AFTER).toISOString() });
    expect(await runner.follow(long)).toMatchObject({ status: 'FAILED', error: { code: 'EXECUTION_LOST' } });
  });

  test('says what is refused', async () => {
    service.fail = (_, response) => refuse(response, 400, 'AccessDeniedException');
    await expect(runner.start(record())).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(runner.follow(record())).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });
});
