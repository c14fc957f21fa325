import { LakeletError } from '../../../lib/errors.ts';
import { failureOf, type StateChange, startStepFunctions } from '../../../lib/workflow/index.ts';
import {
  type DoubleEvent,
  refuse,
  type StepFunctionsDouble,
  startStepFunctionsDouble,
} from './step-functions-double.ts';

const SETTINGS = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
const before = SETTINGS.map((name) => [name, process.env[name]] as const);
let double: StepFunctionsDouble;

beforeEach(async () => {
  double = await startStepFunctionsDouble();
  process.env.AWS_ENDPOINT_URL = double.uri;
  process.env.AWS_REGION = 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});
afterEach(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await double.close();
});

const entered = (name: string, previousEventId: number, type = 'Task'): DoubleEvent => ({
  type: `${type}StateEntered`,
  previousEventId,
  stateEnteredEventDetails: { name },
});
const exited = (name: string, previousEventId: number, type = 'Task'): DoubleEvent => ({
  type: `${type}StateExited`,
  previousEventId,
  stateExitedEventDetails: { name },
});
const scheduled = (previousEventId: number): DoubleEvent => ({ type: 'TaskScheduled', previousEventId });
const failed = (previousEventId: number, error: string): DoubleEvent => ({
  type: 'TaskFailed',
  previousEventId,
  taskFailedEventDetails: { resource: 'invoke', resourceType: 'lambda', error, cause: '{}' },
});
const succeeded = (previousEventId: number, output: unknown = { runId: 'r' }): DoubleEvent => ({
  type: 'ExecutionSucceeded',
  previousEventId,
  executionSucceededEventDetails: { output: JSON.stringify(output) },
});
const STARTED: DoubleEvent = { type: 'ExecutionStarted', previousEventId: 0 };

/** The changes without their times. */
function told(changes: readonly StateChange[]): object[] {
  return changes.map(({ at: _, ...change }) => change);
}

function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('startStepFunctions', () => {
  it('starts the only state machine of Lakelet under a name of its own and gives the output', async () => {
    double.machines = ['other', 'another', 'lakelet-prod'];
    double.script.push([STARTED, succeeded(1, { runId: 'a:b' })], [STARTED, succeeded(1)]);
    const arns: string[] = [];
    const input = { runId: 'a:b', rows: 5 };
    const result = await startStepFunctions(input, { onStart: (arn) => arns.push(arn) });
    expect(result).toEqual({ status: 'SUCCEEDED', output: { runId: 'a:b' } });
    await startStepFunctions(input, { onStart: (arn) => arns.push(arn) });
    const starts = double.calls.filter(({ call }) => call === 'StartExecution').map(({ body }) => body);
    expect(starts[0]).toMatchObject({
      stateMachineArn: expect.stringMatching(/:lakelet-prod$/),
      name: expect.stringMatching(/^a-b-[0-9a-f-]{36}$/),
      input: JSON.stringify(input),
    });
    expect(starts[1]?.name).not.toBe(starts[0]?.name);
    expect(arns[0]).toMatch(new RegExp(`:execution:.*${starts[0]?.name}$`));
  });

  it('tells each change once, in order, however many looks and pages it takes', async () => {
    double.script.push(
      [STARTED, entered('Bronze', 1), scheduled(2)],
      [],
      [failed(3, 'Lakelet.Retryable'), scheduled(4), { type: 'TaskStarted', previousEventId: 5 }],
      [{ type: 'TaskSucceeded', previousEventId: 6 }, exited('Bronze', 7), entered('Silver', 8), scheduled(9)],
      [failed(10, 'Lakelet.X'), exited('Silver', 11), entered('SilverFailed', 12, 'Pass')],
      [exited('SilverFailed', 13, 'Pass'), succeeded(14)],
    );
    const changes: StateChange[] = [];
    await startStepFunctions({}, { onState: (change) => changes.push(change) });
    expect(told(changes)).toEqual([
      { state: 'Bronze', change: 'entered' },
      { state: 'Bronze', change: 'failed', error: 'Lakelet.Retryable' },
      { state: 'Bronze', change: 'retried', error: 'Lakelet.Retryable', attempt: 1 },
      { state: 'Bronze', change: 'exited' },
      { state: 'Silver', change: 'entered' },
      { state: 'Silver', change: 'failed', error: 'Lakelet.X' },
      { state: 'Silver', change: 'caught', error: 'Lakelet.X' },
      { state: 'Silver', change: 'exited' },
      { state: 'SilverFailed', change: 'entered' },
      { state: 'SilverFailed', change: 'exited' },
    ]);
    expect(changes[0]?.at).toBe(1_001_000);
  });

  it('tells how far a map is, inline by its events and distributed by asking', async () => {
    const inline = { mapIterationSucceededEventDetails: { name: 'Inline', index: 0 } };
    double.mapRun = { succeeded: 2, total: 3 };
    double.script.push(
      [
        STARTED,
        entered('Inline', 1, 'Map'),
        { type: 'MapStateStarted', previousEventId: 2, mapStateStartedEventDetails: { length: 2 } },
        { type: 'MapIterationSucceeded', previousEventId: 3, ...inline },
        { type: 'MapIterationSucceeded', previousEventId: 3, ...inline },
        exited('Inline', 5, 'Map'),
        entered('Shards', 6, 'Map'),
        { type: 'MapStateStarted', previousEventId: 7, mapStateStartedEventDetails: { length: 3 } },
        { type: 'MapRunStarted', previousEventId: 8, mapRunStartedEventDetails: { mapRunArn: 'arn:map' } },
      ],
      [
        {
          type: 'MapRunFailed',
          previousEventId: 9,
          mapRunFailedEventDetails: { error: 'States.ExceedToleratedFailureThreshold', cause: '' },
        },
        { type: 'MapStateFailed', previousEventId: 10 },
        exited('Shards', 10, 'Map'),
        succeeded(12),
      ],
    );
    const changes: StateChange[] = [];
    await startStepFunctions({}, { onState: (change) => changes.push(change) });
    expect(told(changes).filter((change) => 'done' in change)).toEqual([
      { state: 'Inline', change: 'progressed', done: 1, total: 2 },
      { state: 'Inline', change: 'progressed', done: 2, total: 2 },
      { state: 'Shards', change: 'progressed', done: 2, total: 3 },
    ]);
    expect(told(changes)).toContainEqual({
      state: 'Shards',
      change: 'caught',
      error: 'States.ExceedToleratedFailureThreshold',
    });
  });

  it.each([
    [
      'executionFailedEventDetails',
      'ExecutionFailed',
      { error: 'Lakelet.TOO_FEW_ROWS', cause: '{"errorType":"Lakelet.TOO_FEW_ROWS","errorMessage":"too few"}' },
      { code: 'TOO_FEW_ROWS', message: 'too few' },
    ],
    [
      'executionFailedEventDetails',
      'ExecutionFailed',
      {
        error: 'Lakelet.Retryable',
        cause: JSON.stringify({ errorMessage: 'down', trace: ['Lakelet.Retryable [MLFLOW_UNREACHABLE]: down', 'at'] }),
      },
      { code: 'MLFLOW_UNREACHABLE', message: 'down', retryable: true },
    ],
    [
      'executionFailedEventDetails',
      'ExecutionFailed',
      { error: 'Runtime.ExitError', cause: 'no JSON\u001b[31m' },
      { code: 'RUN_FAILED', message: expect.stringMatching(/Runtime\.ExitError: no JSON\\u001b.*arn:x/) },
    ],
    ['executionTimedOutEventDetails', 'ExecutionTimedOut', {}, { code: 'RUN_FAILED' }],
    [
      'executionAbortedEventDetails',
      'ExecutionAborted',
      {},
      { code: 'INTERRUPTED', message: expect.stringMatching(/before its end; what/) },
    ],
    [
      'executionAbortedEventDetails',
      'ExecutionAborted',
      { error: 'Maintenance', cause: 'by Ann\n' },
      { code: 'INTERRUPTED', message: expect.stringMatching(/before its end \(Maintenance: by Ann\\n\); what/) },
    ],
  ])('ends as the execution ends (%s, %s, %j)', async (field, type, details, error) => {
    double.script.push([STARTED, { type, previousEventId: 1, [field]: details }]);
    const result = await startStepFunctions({});
    if (result.status === 'SUCCEEDED') throw new Error('it did not');
    expect(failureOf(result, 'arn:x')).toMatchObject(error);
  });

  it('goes on where it is throttled, or a connection is lost, while it follows', async () => {
    double.script.push([STARTED, entered('Bronze', 1)], [exited('Bronze', 2), succeeded(3)]);
    let troubles = 0;
    double.fail = (call, response) => {
      if (call !== 'GetExecutionHistory' || double.events.length === 0 || troubles >= 8) return false;
      troubles++;
      if (troubles % 2 === 0) return refuse(response, 400, 'ThrottlingException');
      response.destroy();
      return true;
    };
    const changes: StateChange[] = [];
    const told: string[] = [];
    const options = {
      onState: (change: StateChange) => changes.push(change),
      onTrouble: ({ code }: LakeletError) => told.push(code),
    };
    await expect(startStepFunctions({}, options)).resolves.toMatchObject({ status: 'SUCCEEDED' });
    expect(troubles).toBe(8);
    expect(told).toEqual([expect.stringMatching(/^(AWS_UNREACHABLE|THROTTLED)$/)]);
    expect(changes).toHaveLength(2);
  }, 60_000);

  it('takes an execution for its own whose name is taken, since an earlier answer was lost', async () => {
    double.fail = (call, response) => call === 'StartExecution' && refuse(response, 400, 'ExecutionAlreadyExists');
    double.script.push([STARTED, succeeded(1)]);
    let arn = '';
    await startStepFunctions({ runId: 'r' }, { onStart: (started) => (arn = started) });
    expect(arn).toMatch(/^arn:aws:states:us-east-1:000000000000:execution:lakelet-test:r-[0-9a-f-]{36}$/);
  });

  it('stops the execution when its signal fires', async () => {
    double.script.push([STARTED, entered('Bronze', 1)]);
    const stop = new AbortController();
    const result = await startStepFunctions({}, { signal: stop.signal, onState: () => stop.abort() });
    expect(result).toEqual({ status: 'ABORTED' });
    expect(double.calls.at(-1)).toMatchObject({ call: 'StopExecution', body: { error: 'Lakelet.INTERRUPTED' } });
  });

  it('does not start where its signal has fired before', async () => {
    await expect(startStepFunctions({}, { signal: AbortSignal.abort() })).resolves.toEqual({ status: 'ABORTED' });
    expect(double.calls).toEqual([]);
  });
});

describe('the state machine', () => {
  it('is named by its ARN or its name', async () => {
    double.machines = ['a', 'b', 'mine'];
    double.script.push([STARTED, succeeded(1)], [STARTED, succeeded(1)]);
    await startStepFunctions({}, { stateMachine: 'mine' });
    await startStepFunctions({}, { stateMachine: 'arn:aws:states:eu-west-1:1:stateMachine:elsewhere' });
    const started = double.calls
      .filter(({ call }) => call === 'StartExecution')
      .map(({ body }) => body.stateMachineArn);
    expect(started).toEqual([
      'arn:aws:states:us-east-1:000000000000:stateMachine:mine',
      'arn:aws:states:eu-west-1:1:stateMachine:elsewhere',
    ]);
  });

  it.each([
    ['there is none of Lakelet', ['other'], undefined, 'STATE_MACHINE_NOT_FOUND', /npm run deploy:local/],
    ['there is none of the name', ['lakelet-a'], 'lakelet-b', 'STATE_MACHINE_NOT_FOUND', /lakelet-b/],
    [
      'there are several',
      ['lakelet-a', 'x', 'lakelet-b'],
      undefined,
      'STATE_MACHINE_AMBIGUOUS',
      /--state-machine: lakelet-a, lakelet-b$/,
    ],
  ])('is not guessed where %s', async (_, machines, stateMachine, code, message) => {
    double.machines = machines;
    const error = await errorOf(startStepFunctions({}, stateMachine === undefined ? {} : { stateMachine }));
    expect(error).toBeInstanceOf(LakeletError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each([
    ['StateMachineDoesNotExist', 400, 'STATE_MACHINE_NOT_FOUND'],
    ['UnrecognizedClientException', 400, 'ACCESS_DENIED'],
    ['AccessDeniedException', 400, 'ACCESS_DENIED'],
    ['InvalidExecutionInput', 400, 'AWS_REFUSED'],
    ['ThrottlingException', 400, 'THROTTLED'],
    ['InternalFailure', 500, 'AWS_FAILED'],
  ])(
    'that answers %s fails the start in one clear line',
    async (type, status, code) => {
      double.fail = (call, response) => call === 'StartExecution' && refuse(response, status, type, 'why\nnot');
      const error = await errorOf(startStepFunctions({}));
      expect(error).toMatchObject({ code, message: expect.stringMatching(/^[^\n]+$/) });
    },
    30_000,
  );

  it('that is another service is said to be none, with what to correct', async () => {
    double.fail = (_, response) => {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"code":"NOT_FOUND"}}');
      return true;
    };
    expect(await errorOf(startStepFunctions({}))).toMatchObject({
      code: 'AWS_REFUSED',
      message: expect.stringMatching(/ answers 404, .*AWS_ENDPOINT_URL/),
    });
  }, 30_000);

  it('whose address is none is not asked again', async () => {
    process.env.AWS_ENDPOINT_URL = 'nowhere';
    expect(await errorOf(startStepFunctions({}))).toMatchObject({ code: 'AWS_UNREACHABLE', retryable: false });
  }, 30_000);

  it('that nobody serves is said to be unreachable, with what to do', async () => {
    process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:9';
    expect(await errorOf(startStepFunctions({}))).toMatchObject({
      code: 'AWS_UNREACHABLE',
      message: expect.stringMatching(/127\.0\.0\.1:9.*AWS_ENDPOINT_URL/),
    });
  }, 30_000);

  it('needs credentials, and says which are looked for', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const others = {
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      AWS_EC2_METADATA_DISABLED: '1',
    };
    Object.assign(process.env, others, { AWS_EC2_METADATA_DISABLED: 'true' });
    try {
      expect(await errorOf(startStepFunctions({}))).toMatchObject({
        code: 'ACCESS_DENIED',
        message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
      });
    } finally {
      for (const name of Object.keys(others)) delete process.env[name];
    }
  }, 30_000);
});
