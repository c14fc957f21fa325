import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { type Lambdas, MEET, START_TIMEOUT, startLambdas } from './lambdas.ts';
import { zipOf } from './zip.ts';

describe('a Lambda on LocalStack without Docker', () => {
  let lambdas: Lambdas;
  beforeAll(async () => {
    lambdas = await startLambdas();
  }, START_TIMEOUT);
  afterAll(() => lambdas?.stop());

  it('runs on the Node that started LocalStack, in the folder of its code', async () => {
    await lambdas.create('where', {
      'index.mjs': `export const handler = async () => ({ version: process.version, execPath: process.execPath, cwd: process.cwd(), root: process.env.LAMBDA_TASK_ROOT })`,
    });
    const { payload } = await lambdas.invoke('where');
    const { cwd, root } = payload as { cwd: string; root: string };
    expect(payload).toMatchObject({ version: process.version, execPath: process.execPath });
    expect(cwd).toBe(root);
    expect(root.startsWith(lambdas.home)).toBe(true);
  });

  it('has the environment and the context that Lambda gives', async () => {
    const arn = await lambdas.create(
      'context',
      {
        'index.mjs': `export const handler = async (event, context) => ({ event, context, left: context.getRemainingTimeInMillis(), env: process.env })`,
      },
      { MemorySize: 256, Timeout: 7, Environment: { Variables: { LAKE_URI: 's3://b/lake', TZ: 'Asia/Tokyo' } } },
    );
    const { payload } = await lambdas.invoke('context', { rows: 5 });
    const { left } = payload as { left: number };
    expect(payload).toMatchObject({
      event: { rows: 5 },
      context: { functionName: 'context', invokedFunctionArn: arn, memoryLimitInMB: '256', functionVersion: '$LATEST' },
      env: {
        AWS_LAMBDA_FUNCTION_NAME: 'context',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: lambdas.server.settings.AWS_ENDPOINT_URL,
        AWS_SESSION_TOKEN: expect.stringMatching(/./),
        _HANDLER: 'index.handler',
        LAKE_URI: 's3://b/lake',
        TZ: 'Asia/Tokyo',
      },
    });
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(7000);
  });

  it('uses the keys and the address of an S3 server that its own environment names', async () => {
    const own = { AWS_ACCESS_KEY_ID: 'minio', AWS_SECRET_ACCESS_KEY: 'secret', AWS_ENDPOINT_URL_S3: 'http://m:9000' };
    await lambdas.create(
      'keys',
      { 'index.mjs': `export const handler = async () => process.env` },
      { Environment: { Variables: own } },
    );
    const { payload } = await lambdas.invoke('keys');
    expect(payload).toMatchObject(own);
    expect(payload).not.toHaveProperty('AWS_SESSION_TOKEN');
  });

  it.each([
    ['an ES module by its extension', { 'index.mjs': `export const handler = async () => 'ok'` }, 'index.handler'],
    [
      'an ES module by its package, deeper in the zip',
      { 'package.json': '{"type":"module"}', 'functions/bronze.js': `export const handler = async () => 'ok'` },
      'functions/bronze.handler',
    ],
    [
      'a module beside a folder of the same name',
      { 'a/b.cjs': '', 'a.mjs': `export const handler = async () => 'ok'` },
      'a.handler',
    ],
    ['a CommonJS module', { 'index.js': `exports.handler = async () => 'ok'` }, 'index.handler'],
    [
      'a CommonJS module whose exports are known when it runs',
      { 'index.cjs': `module['ex' + 'ports'] = { deep: { handler: async () => 'ok' } }` },
      'index.deep.handler',
    ],
    ['a promise without async', { 'index.mjs': `export const handler = () => Promise.resolve('ok')` }, 'index.handler'],
    [
      'a callback',
      { 'index.js': `exports.handler = (event, context, callback) => setTimeout(() => callback(null, 'ok'), 20)` },
      'index.handler',
    ],
    [
      'a callback that does not wait for what else is going on',
      {
        'index.js': `exports.handler = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 10); callback(null, 'ok') }`,
      },
      'index.handler',
    ],
  ])('runs %s', async (what, files, handler) => {
    const name = what.replaceAll(/\W+/g, '-').slice(0, 60);
    await lambdas.create(name, files as Record<string, string>, { Handler: handler });
    expect(await lambdas.invoke(name)).toMatchObject({ payload: 'ok', error: undefined });
    expect(await lambdas.invoke(name)).toMatchObject({ payload: 'ok', error: undefined });
  });

  it.each([
    ['what is no promise', `export const handler = () => 5`],
    ['nothing', `export const handler = async () => undefined`],
    ['a promise that nothing will settle', `export const handler = () => new Promise(() => {})`],
  ])('answers null where its handler returns %s', async (what, source) => {
    const name = what.replaceAll(' ', '-');
    await lambdas.create(name, { 'index.mjs': source });
    expect(await lambdas.invoke(name)).toMatchObject({ payload: null, error: undefined });
  });

  it('stays for the next invocation, and another one runs beside it where it is busy', async () => {
    await lambdas.create(
      'count',
      {
        'index.mjs': `import { tmpdir } from 'node:os';
        import { existsSync, writeFileSync } from 'node:fs';
        ${MEET}
        let calls = 0;
        export const handler = async ({ place, guests }) => {
          const own = tmpdir() + '/own';
          const found = existsSync(own);
          writeFileSync(own, '');
          if (place) await meet(place, guests);
          return { pid: process.pid, calls: ++calls, folder: tmpdir(), found };
        }`,
      },
      { Timeout: 25 },
    );
    interface Seen {
      readonly pid: number;
      readonly calls: number;
      readonly folder: string;
      readonly found: boolean;
    }
    const seen = async (event: object) => (await lambdas.invoke('count', event)).payload as Seen;
    const first = await seen({});
    expect(await seen({})).toEqual({ ...first, calls: 2, found: true });

    const meeting = { place: join(lambdas.home, 'count'), guests: 3 };
    const busy = await Promise.all([seen(meeting), seen(meeting), seen(meeting)]);
    expect(new Set(busy.map(({ pid }) => pid)).size).toBe(3);
    expect(new Set(busy.map(({ folder }) => folder)).size).toBe(3);
    expect(busy.filter(({ found }) => found).map(({ pid }) => pid)).toEqual([first.pid]);
    expect(busy.every(({ folder }) => existsSync(folder))).toBe(true);
  });

  it('has its new code after an update', async () => {
    await lambdas.create('changing', { 'index.mjs': `export const handler = async () => 'old'` });
    expect((await lambdas.invoke('changing')).payload).toBe('old');
    const code = zipOf({ 'index.mjs': `export const handler = async () => 'new'` });
    await lambdas.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'changing', ZipFile: code }));
    const waiting = { client: lambdas.client, maxWaitTime: 30, minDelay: 0.1, maxDelay: 0.5 };
    await waitUntilFunctionUpdatedV2(waiting, { FunctionName: 'changing' });
    expect((await lambdas.invoke('changing')).payload).toBe('new');
  });

  it('logs as Lambda does, in the answer and in CloudWatch', async () => {
    await lambdas.create('talking', {
      'index.mjs': `console.log('loading');
        export const handler = async (event, context) => {
          console.log('hello %s', 'you');
          console.error('oh');
          process.stdout.write('plain\\n');
          process.stderr.write('without a line end');
          return context.awsRequestId;
        }`,
    });
    const { payload, log } = await lambdas.invoke('talking');
    const lines = log.split('\n');
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
    for (const [index, line] of [
      `${time}\t\tINFO\tloading`,
      `START RequestId: ${payload} Version: \\$LATEST`,
      `${time}\t${payload}\tINFO\thello you`,
      `${time}\t${payload}\tERROR\toh`,
      'plain',
      'without a line end',
      `END RequestId: ${payload}`,
      `REPORT RequestId: ${payload}\tDuration: [\\d.]+ ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\tInit Duration: [\\d.]+ ms`,
    ].entries()) {
      expect(lines[index]).toMatch(new RegExp(`^${line}$`));
    }
    expect((await lambdas.invoke('talking')).log).not.toMatch(/loading|Init Duration/);
    expect(await kept(lambdas, '/aws/lambda/talking', 'hello you', 2)).toHaveLength(2);
  });

  it('keeps the last megabyte of a long log, whole to its last line', async () => {
    await lambdas.create('long', {
      'index.mjs': `export const handler = async () => {
        for (let line = 0; line < 40000; line++) process.stdout.write('line ' + line + ' é'.repeat(20) + '\\n');
      }`,
    });
    const { log } = await lambdas.invoke('long');
    expect(log).toMatch(/line 39998( é){20}\nline 39999( é){20}\nEND RequestId/);
    expect(await kept(lambdas, '/aws/lambda/long', 'the beginning of the output was left out', 1)).toHaveLength(1);
  });

  it('runs also where nobody waits for its answer', async () => {
    await lambdas.create('event', { 'index.mjs': `export const handler = async () => console.log('it ran')` });
    const { StatusCode } = await lambdas.client.send(
      new InvokeCommand({ FunctionName: 'event', InvocationType: 'Event', Payload: '{}' }),
    );
    expect(StatusCode).toBe(202);
    expect(await kept(lambdas, '/aws/lambda/event', 'it ran', 1)).toHaveLength(1);
  });

  it('is refused with a reason where it has layers', async () => {
    const content = { Content: { ZipFile: zipOf({ 'nodejs/a.js': '' }) } };
    const layer = await lambdas.client.send(new PublishLayerVersionCommand({ LayerName: 'layer', ...content }));
    const options = { Layers: [layer.LayerVersionArn ?? ''] };
    await expect(lambdas.create('layered', { 'index.mjs': '' }, options)).rejects.toThrow();
    const { StateReason } = await lambdas.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'layered' }));
    expect(StateReason).toMatch(/layered has layers, which need Docker/);
  });

  it.each([
    ['python', { Runtime: 'python3.12' as const }, /without Docker only nodejs runs/],
    ['image', { PackageType: 'Image' as const, Code: { ImageUri: 'a:1' } }, /container image, which needs Docker/],
    ['hot', { Code: { S3Bucket: 'hot-reload', S3Key: import.meta.dirname } }, /hot reloading, which needs Docker/],
  ])('is refused with a reason where it needs Docker: %s', async (name, options, reason) => {
    await expect(lambdas.create(name, { 'index.mjs': '' }, options)).rejects.toThrow();
    const { State, StateReason } = await lambdas.client.send(
      new GetFunctionConfigurationCommand({ FunctionName: name }),
    );
    expect(State).toBe('Failed');
    expect(StateReason).toMatch(reason);
  });
});

/** The messages with this text that CloudWatch has of a log group, once there are so many. */
async function kept({ connection }: Lambdas, group: string, text: string, count: number): Promise<string[]> {
  for (let tries = 0; tries < 100; tries++) {
    const response = await fetch(connection.endpoint, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'Logs_20140328.FilterLogEvents',
        Authorization: `AWS4-HMAC-SHA256 Credential=${connection.credentials.accessKeyId}/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify({ logGroupName: group }),
    });
    const { events = [] } = (await response.json()) as { events?: { message: string }[] };
    const found = events.map(({ message }) => message).filter((message) => message.includes(text));
    if (found.length >= count) return found;
    await sleep(100);
  }
  return [];
}
