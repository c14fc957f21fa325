// The executions of the HTTP API on the real Step Functions of LocalStack, as they are on AWS.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateStateMachineCommand, ListExecutionsCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { readExecution, startExecution } from '../../lib/api/executions.ts';
import { executionBody } from '../../lib/api/schemas.ts';
import { stepFunctionsRunner } from '../../lib/api/step-functions-runner.ts';
import { MemoryStore } from '../../lib/storage/index.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';

jest.setTimeout(240_000);

const lake = new MemoryStore();
let home: string;
let localstack: RunningServer | undefined;
let client: SFNClient;
let before: NodeJS.ProcessEnv;

beforeAll(async () => {
  before = { ...process.env };
  home = mkdtempSync(join(tmpdir(), 'lakelet-executions-'));
  localstack = await startLocalStack({ home, services: ['stepfunctions', 'iam', 'sts'] });
  Object.assign(process.env, localstack.settings);
  client = new SFNClient({});
});

afterAll(async () => {
  client?.destroy();
  await localstack?.stop();
  process.env = before;
  rmSync(home, { recursive: true, force: true });
});

async function machine(name: string, state: object): Promise<string> {
  const { stateMachineArn = '' } = await client.send(
    new CreateStateMachineCommand({
      name,
      roleArn: 'arn:aws:iam::000000000000:role/states',
      definition: JSON.stringify({ StartAt: 'Only', States: { Only: state } }),
    }),
  );
  return stateMachineArn;
}

test('an execution is started once, and told as it ends', async () => {
  const runner = stepFunctionsRunner(await machine('lakelet-pass', { Type: 'Pass', End: true }));
  const body = executionBody.parse({ runId: 'a:b', rows: 5 });
  const answers = await Promise.all([1, 2, 3].map(() => startExecution(lake, runner, body)));
  expect(answers.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  let told = await readExecution(lake, runner, 'a:b');
  for (; told.status === 'RUNNING'; told = await readExecution(lake, runner, 'a:b')) await sleep(200);
  expect(told).toMatchObject({ status: 'SUCCEEDED', output: { runId: 'a:b', rows: 5, seed: 42 } });
  expect(await startExecution(lake, runner, body)).toEqual(told);
});

test('one that failed says why, and is tried again', async () => {
  const cause = JSON.stringify({ errorType: 'Lakelet.STORE_FULL', errorMessage: 'No space' });
  const runner = stepFunctionsRunner(
    await machine('lakelet-fail', { Type: 'Fail', Error: 'Lakelet.STORE_FULL', Cause: cause }),
  );
  const body = executionBody.parse({ runId: 'fails' });
  await startExecution(lake, runner, body);
  let told = await readExecution(lake, runner, 'fails');
  for (; told.status === 'RUNNING'; told = await readExecution(lake, runner, 'fails')) await sleep(200);
  expect(told).toMatchObject({ status: 'FAILED', error: { code: 'STORE_FULL', message: 'No space' } });
  expect(await startExecution(lake, runner, body)).toMatchObject({ attempt: 2 });
});

test('one that somebody stopped is over', async () => {
  const arn = await machine('lakelet-wait', { Type: 'Wait', Seconds: 600, End: true });
  const runner = stepFunctionsRunner(arn);
  await startExecution(lake, runner, executionBody.parse({ runId: 'waits' }));
  expect(await readExecution(lake, runner, 'waits')).toMatchObject({ status: 'RUNNING' });
  const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn: arn }));
  await client.send(new StopExecutionCommand({ executionArn: executions[0]?.executionArn }));
  let told = await readExecution(lake, runner, 'waits');
  for (; told.status === 'RUNNING'; told = await readExecution(lake, runner, 'waits')) await sleep(200);
  expect(told).toMatchObject({ status: 'FAILED', error: { code: 'INTERRUPTED' } });
});
