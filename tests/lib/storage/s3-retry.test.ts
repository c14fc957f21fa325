import { FIRST_PATIENCE, isPassing, PATIENCE, patientRetries, pause } from '../../../lib/storage/s3-retry.ts';

type Failure = NonNullable<Parameters<ReturnType<typeof patientRetries>['refreshRetryTokenForRetry']>[1]['error']>;

function failure(properties: { readonly name?: string; readonly code?: string; readonly status?: number }): Failure {
  const { name = 'Error', code, status } = properties;
  const $metadata = status === undefined ? {} : { httpStatusCode: status };
  return { name, message: '', ...(code !== undefined && { code }), $metadata };
}

const refused = failure({ code: 'ECONNREFUSED' });
const slowDown = failure({ name: 'SlowDown', status: 503 });
const denied = failure({ name: 'AccessDenied', status: 403 });

/** Makes a request that fails again and again until the strategy gives up; how long that took, on the strategy's clock. */
async function endure(
  strategy: ReturnType<typeof patientRetries>,
  clock: { now: number },
  error: Failure,
): Promise<number> {
  const started = clock.now;
  let token = await strategy.acquireInitialRetryToken('');
  for (;;) {
    try {
      token = await strategy.refreshRetryTokenForRetry(token, { error, errorType: 'TRANSIENT' });
    } catch {
      return clock.now - started;
    }
    clock.now += token.getRetryDelay() + 1;
  }
}

describe('patientRetries', () => {
  it('gives a server that never answered a few seconds, and one that has answered a minute', async () => {
    const clock = { now: 0 };
    const strategy = patientRetries(() => clock.now);
    const first = await endure(strategy, clock, refused);
    expect(first).toBeGreaterThan(FIRST_PATIENCE / 4);
    expect(first).toBeLessThanOrEqual(FIRST_PATIENCE + 100);
    strategy.recordSuccess(await strategy.acquireInitialRetryToken(''));
    const later = await endure(strategy, clock, refused);
    expect(later).toBeGreaterThan(PATIENCE - 6_000);
    expect(later).toBeLessThanOrEqual(PATIENCE + 100);
  });

  it('takes a refusal for an answer', async () => {
    const clock = { now: 0 };
    expect(
      await endure(
        patientRetries(() => clock.now),
        clock,
        slowDown,
      ),
    ).toBeGreaterThan(PATIENCE - 6_000);
  });

  it('has patience for every request, however many fail at once', async () => {
    const clock = { now: 0 };
    const strategy = patientRetries(() => clock.now);
    strategy.recordSuccess(await strategy.acquireInitialRetryToken(''));
    const times: number[] = [];
    const waiting = [];
    for (let n = 0; n < 500; n++) waiting.push({ at: n, token: await strategy.acquireInitialRetryToken('') });
    for (let next = waiting.shift(); next !== undefined; next = waiting.sort((a, b) => a.at - b.at).shift()) {
      clock.now = next.at;
      try {
        const token = await strategy.refreshRetryTokenForRetry(next.token, { error: refused, errorType: 'TRANSIENT' });
        waiting.push({ at: clock.now + token.getRetryDelay() + 1, token });
      } catch {
        times.push(clock.now);
      }
    }
    // The server has been away for a minute, less a pause, when the first of them gives up.
    expect(times).toHaveLength(500);
    expect(Math.min(...times)).toBeGreaterThan(PATIENCE - 6_000);
  });

  it('waits a minute once, and not again before the server has answered', async () => {
    const clock = { now: 0 };
    const strategy = patientRetries(() => clock.now);
    strategy.recordSuccess(await strategy.acquireInitialRetryToken(''));
    await endure(strategy, clock, refused);
    expect(await endure(strategy, clock, refused)).toBeLessThanOrEqual(FIRST_PATIENCE + 100);
    strategy.recordSuccess(await strategy.acquireInitialRetryToken(''));
    expect(await endure(strategy, clock, refused)).toBeGreaterThan(PATIENCE - 6_000);
  });

  it('gives up at once where a failure does not pass', async () => {
    const clock = { now: 0 };
    expect(
      await endure(
        patientRetries(() => clock.now),
        clock,
        denied,
      ),
    ).toBe(0);
  });

  it('waits as long as the server asks, within reason', async () => {
    const strategy = patientRetries(() => 0);
    strategy.recordSuccess(await strategy.acquireInitialRetryToken(''));
    const wait = async (seconds: number): Promise<number> => {
      const token = await strategy.refreshRetryTokenForRetry(await strategy.acquireInitialRetryToken(''), {
        errorType: 'THROTTLING',
        retryAfterHint: new Date(Date.now() + seconds * 1000),
        error: slowDown,
      });
      return token.getRetryDelay();
    };
    expect(await wait(3)).toBeGreaterThan(2_000);
    expect(await wait(3_600)).toBeLessThanOrEqual(5_000);
  });
});

describe('pause', () => {
  it('is random up to a bound that doubles, to five seconds', () => {
    expect([0, 1, 2, 3, 20].map((attempt) => pause(attempt, () => 1))).toEqual([100, 200, 400, 800, 5_000]);
    expect(pause(3, () => 0.25)).toBe(200);
  });
});

describe('isPassing', () => {
  it.each<[string, unknown, boolean]>([
    ['a reset', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), true],
    ['a timeout', Object.assign(new Error(), { name: 'TimeoutError' }), true],
    ['a body that broke off', new Error('aborted'), true],
    ['a body that was damaged', new Error('Checksum mismatch: expected "a" but received "b"'), true],
    ['a name that does not resolve just now', Object.assign(new Error(), { code: 'EAI_AGAIN' }), true],
    ['headers that broke off', Object.assign(new Error(), { code: 'HPE_INVALID_EOF_STATE' }), true],
    ['throttling', slowDown, true],
    [
      'an internal error',
      Object.assign(new Error(), { name: 'InternalError', $metadata: { httpStatusCode: 500 } }),
      true,
    ],
    [
      'another conditional write under way',
      Object.assign(new Error(), { name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } }),
      true,
    ],
    [
      'a body that came too slowly',
      Object.assign(new Error(), { name: 'RequestTimeout', $metadata: { httpStatusCode: 400 } }),
      true,
    ],
    [
      'a clock that was wrong and is known now',
      Object.assign(new Error(), {
        name: 'RequestTimeTooSkewed',
        $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
      }),
      true,
    ],
    [
      'a condition that does not hold',
      Object.assign(new Error(), { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }),
      false,
    ],
    ['a refusal', denied, false],
    [
      'what is not implemented',
      Object.assign(new Error(), { name: 'NotImplemented', $metadata: { httpStatusCode: 501 } }),
      false,
    ],
    ['a bug', new TypeError('x is undefined'), false],
    ['nothing', undefined, false],
  ])('knows %s', (_, error, passing) => {
    expect(isPassing(error)).toBe(passing);
  });
});
