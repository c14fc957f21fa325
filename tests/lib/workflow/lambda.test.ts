import { createServer, type Server, type ServerResponse } from 'node:http';
import { failureOf, lambdaHandlers, startEmbedded } from '../../../lib/workflow/index.ts';

const SETTINGS = ['AWS_ENDPOINT_URL_LAMBDA', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
const before = SETTINGS.map((name) => [name, process.env[name]] as const);

/** Answers an invocation: of which function, with what event. */
type Answer = (name: string, event: Readonly<Record<string, unknown>>, response: ServerResponse) => void;

let server: Server;
let answer: Answer;
const calls: string[] = [];

beforeEach(async () => {
  calls.length = 0;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [, name = ''] = /functions\/([^/]+)\/invocations/.exec(decodeURIComponent(request.url ?? '')) ?? [];
      calls.push(name);
      answer(name, JSON.parse(Buffer.concat(chunks).toString()), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.env.AWS_ENDPOINT_URL_LAMBDA = `http://127.0.0.1:${port}`;
  process.env.AWS_REGION = 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});
afterEach(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
});

const succeed = (response: ServerResponse, payload: unknown): void => {
  response.writeHead(200).end(JSON.stringify(payload));
};
const fail = (response: ServerResponse, payload: unknown): void => {
  response.writeHead(200, { 'x-amz-function-error': 'Unhandled' }).end(JSON.stringify(payload));
};
const refuse = (response: ServerResponse, status: number, type: string): void => {
  response.writeHead(status, { 'x-amzn-errortype': type, 'content-type': 'application/json' });
  response.end(JSON.stringify({ Message: 'refused' }));
};

/** Runs the definition with the functions of the stage `test`. */
async function run(input: object = {}) {
  const { handlers, close } = await lambdaHandlers('test');
  try {
    return await startEmbedded(input, handlers, { retrySeconds: 0 });
  } finally {
    close();
  }
}

describe('lambdaHandlers', () => {
  it("invoke the stage's functions with the event of each step, and give what they answer", async () => {
    const events: unknown[] = [];
    answer = (name, event, response) => {
      events.push(event);
      succeed(response, { by: name });
    };
    const result = await run({ runId: 'r', rows: 7 });
    expect(result).toEqual({
      status: 'SUCCEEDED',
      output: {
        runId: 'r',
        bronze: { by: 'lakelet-test-bronze' },
        silver: { by: 'lakelet-test-silver' },
        gold: { by: 'lakelet-test-gold' },
      },
    });
    expect(events[0]).toMatchObject({ runId: 'r', rows: 7, seed: 42 });
  });

  it("fail by the function's own error, which comes back under its code", async () => {
    const told = { errorType: 'Lakelet.TOO_FEW_ROWS', errorMessage: 'too few', trace: ['x'] };
    const recorded: unknown[] = [];
    answer = (name, event, response) => {
      if (name === 'lakelet-test-record-failure') recorded.push(event);
      if (name === 'lakelet-test-gold') fail(response, told);
      else succeed(response, {});
    };
    const result = await run({ runId: 'r' });
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.TOO_FEW_ROWS', cause: JSON.stringify(told) });
    expect(recorded).toEqual([{ runId: 'r', step: 'gold', error: told.errorType, cause: JSON.stringify(told) }]);
    if (result.status !== 'FAILED') throw new Error('it did not fail');
    expect(failureOf(result)).toMatchObject({ code: 'TOO_FEW_ROWS', message: 'too few' });
  });

  it.each([
    [
      'a function of serverless-offline, which tells the class of an error in place of its name',
      (to: ServerResponse) => fail(to, { errorType: 'Error', errorMessage: 'x', trace: ['Lakelet.Retryable [X]: x'] }),
    ],
    [
      'a function that says it may be tried again',
      (to: ServerResponse) => fail(to, { errorType: 'Lakelet.Retryable', errorMessage: 'x' }),
    ],
    ['a function that died', (to: ServerResponse) => fail(to, { errorType: 'Runtime.ExitError', errorMessage: 'x' })],
    ['a function of which nothing is told', (to: ServerResponse) => fail(to, 'no JSON object')],
    ['throttling', (to: ServerResponse) => refuse(to, 429, 'TooManyRequestsException')],
    ['a fault of the service', (to: ServerResponse) => refuse(to, 500, 'ServiceException')],
    ['a lost connection', (to: ServerResponse) => void to.destroy()],
  ])('are called again after %s', async (_, trouble) => {
    let troubles = 0;
    answer = (name, _event, response) => {
      if (name === 'lakelet-test-silver' && troubles++ === 0) trouble(response);
      else succeed(response, { by: name });
    };
    await expect(run()).resolves.toMatchObject({
      status: 'SUCCEEDED',
      output: { silver: { by: 'lakelet-test-silver' } },
    });
    expect(calls).toHaveLength(4);
  });

  it('say at once which credentials are missing', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const others = {
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    Object.assign(process.env, others);
    try {
      const told: string[] = [];
      const { handlers, close } = await lambdaHandlers('test');
      const result = await startEmbedded({}, handlers, { onState: ({ change }) => told.push(change) });
      close();
      expect(result).toMatchObject({ error: 'Lakelet.ACCESS_DENIED', thrown: { code: 'ACCESS_DENIED' } });
      expect(told).not.toContain('retried');
    } finally {
      for (const name of Object.keys(others)) delete process.env[name];
    }
  });

  it('say which function is not there, at once', async () => {
    answer = (_name, _event, response) => refuse(response, 404, 'ResourceNotFoundException');
    const result = await run();
    expect(result).toMatchObject({ status: 'FAILED', thrown: { code: 'FUNCTION_NOT_FOUND' } });
    expect(calls).toEqual(['lakelet-test-bronze', 'lakelet-test-record-failure']);
  });

  it('say that nobody answers, after some tries', async () => {
    process.env.AWS_ENDPOINT_URL_LAMBDA = 'http://127.0.0.1:9';
    expect(await run()).toMatchObject({
      status: 'FAILED',
      error: 'Lambda.SdkClientException',
      thrown: { code: 'AWS_UNREACHABLE', message: expect.stringContaining('AWS_ENDPOINT_URL_LAMBDA') },
    });
  });
});
