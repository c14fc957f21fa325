import { type Failure, type Lambdas, START_TIMEOUT, startLambdas } from './lambdas.ts';
import { untilGone } from './processes.ts';

const MISBEHAVING = `
  import { spawn } from 'node:child_process';
  class Conflict extends Error { name = 'Lake.Conflict' }
  export const handler = async ({ how, code, bytes }) => {
    console.log('about to ' + String(how).slice(0, 20));
    switch (how) {
      case 'throw': throw new Conflict('version 7 is taken');
      case 'throw text': throw 'just text';
      case 'reject': Promise.reject(new RangeError('nobody waits')); return new Promise((done) => setTimeout(done, 5000));
      case 'crash': setTimeout(() => { throw new TypeError('in a timer') }, 1); return new Promise((done) => setTimeout(done, 5000));
      case 'exit': process.exit(code);
      case 'die': process.kill(process.pid, code); return new Promise((done) => setTimeout(done, 5000));
      case 'sleep': await new Promise((done) => setTimeout(done, 60000)); return;
      case 'spin': for (;;);
      case 'leave a child': {
        const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' });
        console.log('child ' + child.pid);
        if (code !== undefined) process.exit(code);
        await new Promise((done) => setTimeout(done, 60000));
        return;
      }
      case 'buffers': { const all = []; for (;;) { all.push(Buffer.alloc(4e6, 1)); await new Promise((done) => setTimeout(done, 2)); } }
      case 'objects': { const all = []; for (;;) all.push({ all: [1, 2, 3] }); }
      case 'large': return 'x'.repeat(bytes);
      case 'circle': { const circle = {}; circle.circle = circle; return circle; }
      case 'big': return 1n;
    }
    return { pid: process.pid };
  }`;

describe('a Lambda that fails on LocalStack without Docker', () => {
  let lambdas: Lambdas;
  beforeAll(async () => {
    lambdas = await startLambdas();
    await lambdas.create('bad', { 'index.mjs': MISBEHAVING }, { Timeout: 2 });
  }, START_TIMEOUT);
  afterAll(() => lambdas?.stop());

  const pid = async () => ((await lambdas.invoke('bad')).payload as { pid: number }).pid;

  it('answers with the name, the message and the trace of what its handler threw, and stays', async () => {
    const before = await pid();
    const { log, ...failure } = await lambdas.fail('bad', { how: 'throw' });
    expect(failure).toEqual({
      errorType: 'Lake.Conflict',
      errorMessage: 'version 7 is taken',
      trace: expect.arrayContaining([expect.stringContaining('version 7 is taken')]),
    });
    expect(log).toMatch(/ERROR\tInvoke Error.*Lake\.Conflict/);
    expect(await pid()).toBe(before);
  });

  it('answers with what was thrown also where that is no error', async () => {
    expect(await lambdas.fail('bad', { how: 'throw text' })).toMatchObject({
      errorType: 'string',
      errorMessage: 'just text',
      trace: [],
    });
  });

  it.each([
    ['reject', 'Runtime.UnhandledPromiseRejection', 'RangeError: nobody waits'],
    ['crash', 'TypeError', 'in a timer'],
  ])('ends, and says why, after what nobody catches: %s', async (how, errorType, errorMessage) => {
    const before = await pid();
    expect(await lambdas.fail('bad', { how })).toMatchObject({ errorType, errorMessage });
    expect(await pid()).not.toBe(before);
  });

  it.each([
    ['exit', 3, 'Runtime exited with error: exit status 3'],
    ['exit', 0, 'Runtime exited without providing a reason'],
    ['die', 'SIGKILL', 'Runtime exited with error: signal: killed'],
    ['die', 'SIGABRT', 'Runtime exited with error: signal: aborted'],
  ])(
    'answers Runtime.ExitError where its process is gone, and has a fresh one next: %s %s',
    async (how, code, what) => {
      const before = await pid();
      const { errorType, errorMessage, log } = await lambdas.fail('bad', { how, code });
      expect(errorType).toBe('Runtime.ExitError');
      expect(errorMessage).toMatch(new RegExp(`^RequestId: [\\w-]+ Error: ${what}$`));
      expect(log).toMatch(new RegExp(`about to ${how}\n.*${what}\nRuntime.ExitError\nEND RequestId`));
      expect(log).toMatch(/\tStatus: error\tError Type: Runtime.ExitError\n$/);
      const after = await lambdas.invoke('bad');
      expect(after.payload).not.toEqual({ pid: before });
      expect(after.log).toMatch(/Init Duration/);
    },
  );

  it.each(['sleep', 'spin', 'leave a child'])('is killed at its timeout: %s', async (how) => {
    const before = await pid();
    const { errorType, errorMessage, log } = await lambdas.fail('bad', { how });
    expect(errorType).toBe('Sandbox.Timedout');
    expect(errorMessage).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z [\w-]+ Task timed out after 2\.00 seconds$/);
    expect(log).toContain(`about to ${how}\n`);
    expect(log).toContain('Task timed out after 2.00 seconds');
    expect(log).toMatch(/\tStatus: timeout\n$/);
    expect(() => process.kill(before, 0)).toThrow('ESRCH');
    const child = /child (\d+)/.exec(log)?.[1];
    expect(child !== undefined).toBe(how === 'leave a child');
    if (child !== undefined) await untilGone([Number(child)]);
    expect(await pid()).not.toBe(before);
  });

  it('leaves none of the processes that it started where it exits', async () => {
    const { errorType, log } = await lambdas.fail('bad', { how: 'leave a child', code: 1 });
    expect(errorType).toBe('Runtime.ExitError');
    await untilGone([Number(/child (\d+)/.exec(log)?.[1])]);
  });

  it.each(['buffers', 'objects'])('is killed where it takes more memory than it may: %s', async (how) => {
    const before = await pid();
    const { errorType, errorMessage, log } = await lambdas.fail('bad', { how });
    expect(errorType).toBe('Runtime.OutOfMemory');
    expect(errorMessage).toMatch(/^RequestId: [\w-]+ Error: Runtime exited with error: signal: killed$/);
    const used = Number(/Max Memory Used: (\d+) MB/.exec(log)?.[1]);
    expect(used).toBeGreaterThan(128);
    expect(used).toBeLessThan(512);
    expect(log).toMatch(/Memory Size: 128 MB.*\tError Type: Runtime.OutOfMemory\n$/);
    expect(await pid()).not.toBe(before);
  });

  it('may answer with 6 MB, and no more', async () => {
    const limit = 6 * 1024 * 1024 + 100;
    const most = await lambdas.invoke('bad', { how: 'large', bytes: limit - 2 });
    expect(most).toMatchObject({ error: undefined, payload: expect.any(String) });
    expect(most.payload as string).toHaveLength(limit - 2);
    expect(await lambdas.fail('bad', { how: 'large', bytes: limit - 1 })).toMatchObject({
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: `Response payload size exceeded maximum allowed payload size (${limit} bytes).`,
    });
  });

  it('is not given more than 6 MB', async () => {
    const around = JSON.stringify({ how: '' }).length;
    const fits = { how: 'x'.repeat(6 * 1024 * 1024 - around) };
    expect((await lambdas.invoke('bad', fits)).error).toBeUndefined();
    await expect(lambdas.invoke('bad', { how: `${fits.how}x` })).rejects.toMatchObject({
      name: 'RequestTooLargeException',
      message: 'Request must be smaller than 6291456 bytes for the InvokeFunction operation',
    });
  });

  it.each(['circle', 'big'])('answers with an error where its result has no JSON: %s', async (how) => {
    expect(await lambdas.fail('bad', { how })).toMatchObject({
      errorType: 'Error',
      errorMessage: 'Unable to stringify response body',
    });
  });

  it.each<[string, Record<string, string>, string, Partial<Failure>]>([
    [
      'exports no handler',
      { 'index.js': 'exports.other = 1' },
      'index.handler',
      { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is undefined or not exported' },
    ],
    [
      'exports a handler that is no function',
      { 'index.js': 'exports.handler = 1' },
      'index.handler',
      { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is not a function' },
    ],
    [
      'is not in the zip',
      { 'index.js': '' },
      'functions/bronze.handler',
      { errorType: 'Runtime.ImportModuleError', errorMessage: "Error: Cannot find module 'bronze'" },
    ],
    [
      'imports what is not in the zip',
      { 'index.mjs': `import 'not-there'` },
      'index.handler',
      { errorType: 'Runtime.ImportModuleError', errorMessage: expect.stringContaining(`'not-there'`) },
    ],
    [
      'requires what is not in the zip',
      { 'index.js': `require('not-there')` },
      'index.handler',
      { errorType: 'Runtime.ImportModuleError', errorMessage: expect.stringContaining(`'not-there'`) },
    ],
    [
      'is no JavaScript',
      { 'index.js': 'exports.handler = (' },
      'index.handler',
      { errorType: 'Runtime.UserCodeSyntaxError', errorMessage: 'SyntaxError: Unexpected end of input' },
    ],
    [
      'throws when it loads',
      { 'index.mjs': `console.log('loading'); throw new RangeError('LAKE_URI is missing')` },
      'index.handler',
      { errorType: 'RangeError', errorMessage: 'LAKE_URI is missing' },
    ],
    [
      'exits when it loads',
      { 'index.mjs': `console.log('loading'); process.exit(9)` },
      'index.handler',
      { errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/exit status 9$/) },
    ],
    ['has a handler with no module', { 'index.js': '' }, 'handler', { errorType: 'Runtime.MalformedHandlerName' }],
  ])('says so again and again where its module %s', async (what, files, handler, failure) => {
    const name = what.replaceAll(/\W+/g, '-');
    await lambdas.create(name, files, { Handler: handler });
    for (let times = 0; times < 2; times++) {
      const { log, ...found } = await lambdas.fail(name);
      expect(found).toMatchObject(failure);
      if (files['index.mjs']?.includes('loading')) expect(log).toMatch(/loading\n(.*\n)*START RequestId/);
    }
  });
});
