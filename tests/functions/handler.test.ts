import { z } from 'zod';
import { handlerOf } from '../../functions/handler.ts';
import { LakeletError } from '../../lib/errors.ts';

const schema = z.strictObject({ rows: z.int().min(1).optional() });

describe('a handler', () => {
  it('gives the step its checked event and answers with its summary', async () => {
    const handler = handlerOf('bronze', schema, async (event) => ({ delivered: event.rows }));
    await expect(handler({ rows: 3 })).resolves.toEqual({ delivered: 3 });
  });

  it.each(['', null, undefined, {}])('takes the empty event %j for {}', async (event) => {
    const handler = handlerOf('bronze', schema, async (checked) => ({ checked }));
    await expect(handler(event)).resolves.toEqual({ checked: {} });
  });

  it.each([
    ['rowz', { rowz: 1 }],
    ['rows', { rows: -1 }],
    ['rows', { rows: '7' }],
    ['object', [1]],
    ['object', 'x'],
    ['\\u001b', { '\u001b[31m': 1 }],
  ])('refuses an event and says what is wrong (%s)', async (word, event) => {
    let ran = false;
    const handler = handlerOf('bronze', schema, async () => {
      ran = true;
      return {};
    });
    const failure = await handler(event).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'Lakelet.EVENT_INVALID', code: 'EVENT_INVALID', retryable: false });
    expect(String(failure)).toContain(word);
    expect(String(failure)).not.toContain('\u001b');
    expect(ran).toBe(false);
  });

  it('rethrows what can pass as Lakelet.Retryable, and anything else by its code', async () => {
    const failing = (error: unknown) =>
      handlerOf('silver', schema, async () => {
        throw error;
      })({}).catch((thrown: unknown) => thrown);
    await expect(failing(new LakeletError('BUSY', 'busy', { retryable: true }))).resolves.toMatchObject({
      name: 'Lakelet.Retryable',
      code: 'BUSY',
    });
    await expect(failing(new LakeletError('BROKEN', 'broken'))).resolves.toMatchObject({ name: 'Lakelet.BROKEN' });
    await expect(failing(new TypeError('a bug'))).resolves.toMatchObject({
      name: 'Lakelet.STEP_FAILED',
      message: 'silver failed: a bug',
      cause: expect.any(TypeError),
    });
  });

  it("tells an error's code in the first line of its trace, which is all that Lambda gives beside name and message", async () => {
    const handler = handlerOf('silver', schema, async () => {
      throw new LakeletError('BUSY', 'busy', { retryable: true });
    });
    const failure = await handler({}).catch((thrown: unknown) => thrown);
    const [first, ...frames] = (failure as Error).stack?.split('\n') ?? [];
    expect(first).toBe('Lakelet.Retryable [BUSY]: busy');
    expect(frames.length).toBeGreaterThan(0);
    for (const frame of frames) expect(frame).toMatch(/^ {4}at /);
  });

  it('keeps two events at once apart', async () => {
    const handler = handlerOf('bronze', schema, async (event) => {
      await new Promise((resolve) => setTimeout(resolve, event.rows === 1 ? 20 : 1));
      return { rows: event.rows };
    });
    await expect(Promise.all([handler({ rows: 1 }), handler({ rows: 2 })])).resolves.toEqual([
      { rows: 1 },
      { rows: 2 },
    ]);
  });
});
