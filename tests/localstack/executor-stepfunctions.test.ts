import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { type Lambdas, START_TIMEOUT, startLambdas } from './lambdas.ts';

/** Fails as it is told until it was asked `succeedAt` times; the count outlives its process. */
const FUNCTION = `
  import { appendFileSync, readFileSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  export const handler = async ({ how, succeedAt = Infinity, shard }) => {
    appendFileSync(tmpdir() + '/calls', '.');
    const calls = readFileSync(tmpdir() + '/calls', 'utf8').length;
    if (calls < succeedAt) {
      if (how === 'conflict') throw Object.assign(new Error('version 7 is taken'), { name: 'Lake.Conflict' });
      if (how === 'timeout') await new Promise((resolve) => setTimeout(resolve, 60000));
      if (how === 'memory') { const all = []; for (;;) { all.push(Buffer.alloc(4e6, 1)); await new Promise((done) => setTimeout(done, 2)); } }
      if (how === 'die') process.kill(process.pid, 'SIGKILL');
    }
    return { calls, shard };
  }`;

describe('Lambdas in a state machine on LocalStack without Docker', () => {
  let lambdas: Lambdas;
  let client: SFNClient;
  beforeAll(async () => {
    lambdas = await startLambdas('stepfunctions');
    client = new SFNClient(lambdas.connection);
  }, START_TIMEOUT);
  afterAll(async () => {
    client?.destroy();
    await lambdas?.stop();
  });

  async function run(name: string, definition: object, input: object) {
    const machine = await client.send(
      new CreateStateMachineCommand({
        name,
        definition: JSON.stringify(definition),
        roleArn: 'arn:aws:iam::000000000000:role/states',
      }),
    );
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn: machine.stateMachineArn, input: JSON.stringify(input) }),
    );
    for (;;) {
      const { status, output } = await client.send(new DescribeExecutionCommand({ executionArn }));
      if (status !== 'RUNNING') {
        const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
        const failures = events.flatMap(({ taskFailedEventDetails: details }) => (details ? [details] : []));
        return { status, output: JSON.parse(output ?? 'null'), failures };
      }
      await sleep(100);
    }
  }

  const task = (FunctionName: string) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName, 'Payload.$': '$' },
    OutputPath: '$.Payload',
    End: true,
  });

  it('is retried by the name of the error that its handler threw', async () => {
    await lambdas.create('retried', { 'index.mjs': FUNCTION });
    const Retry = [{ ErrorEquals: ['Lake.Conflict'], IntervalSeconds: 1, MaxAttempts: 2 }];
    const definition = { StartAt: 'Do', States: { Do: { ...task('retried'), Retry } } };
    const { status, output, failures } = await run('retry', definition, { how: 'conflict', succeedAt: 3 });
    expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: { calls: 3 } });
    expect(failures.map(({ error }) => error)).toEqual(['Lake.Conflict', 'Lake.Conflict']);
    expect(JSON.parse(failures[0]?.cause ?? '')).toMatchObject({ errorMessage: 'version 7 is taken' });
  });

  it('is retried with a fresh process where it was killed', async () => {
    await lambdas.create('killed', { 'index.mjs': FUNCTION });
    const Retry = [{ ErrorEquals: ['Runtime.ExitError'], IntervalSeconds: 1, MaxAttempts: 1 }];
    const definition = { StartAt: 'Do', States: { Do: { ...task('killed'), Retry } } };
    expect(await run('killed', definition, { how: 'die', succeedAt: 2 })).toMatchObject({
      status: 'SUCCEEDED',
      output: { calls: 2 },
    });
  });

  it.each([
    ['conflict', 'Lake.Conflict'],
    ['timeout', 'Sandbox.Timedout'],
    ['memory', 'Runtime.OutOfMemory'],
    ['die', 'Runtime.ExitError'],
  ])('is caught by the name of what it failed with: %s', async (how, error) => {
    await lambdas.create(`caught-${how}`, { 'index.mjs': FUNCTION }, { Timeout: 1 });
    const Catch = [
      { ErrorEquals: [error], Next: 'Caught', ResultPath: '$' },
      { ErrorEquals: ['States.ALL'], Next: 'Other' },
    ];
    const States = {
      Do: { ...task(`caught-${how}`), Catch },
      Caught: { Type: 'Pass', End: true },
      Other: { Type: 'Fail' },
    };
    const { status, output } = await run(`catch-${how}`, { StartAt: 'Do', States }, { how });
    expect({ status, output }).toMatchObject({ status: 'SUCCEEDED', output: { Error: error } });
  });

  it('serves the items of a Map side by side', async () => {
    await lambdas.create('mapped', { 'index.mjs': FUNCTION });
    const definition = {
      StartAt: 'Shards',
      States: {
        Shards: {
          Type: 'Map',
          ItemsPath: '$.shards',
          ItemSelector: { 'shard.$': '$$.Map.Item.Value' },
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            StartAt: 'Do',
            States: { Do: task('mapped') },
          },
          End: true,
        },
      },
    };
    const { status, output } = await run('map', definition, { shards: [0, 1, 2, 3] });
    expect(status).toBe('SUCCEEDED');
    expect((output as { shard: number }[]).map(({ shard }) => shard)).toEqual([0, 1, 2, 3]);
  });
});
