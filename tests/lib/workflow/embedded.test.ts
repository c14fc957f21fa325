import { jest } from '@jest/globals';
import { LakeletError } from '../../../lib/errors.ts';
import { type StateChange, startEmbedded, type TaskHandler, type TaskHandlers } from '../../../lib/workflow/index.ts';

const DEFAULTS = {
  rows: 100_000,
  seed: 42,
  shards: 1,
  algorithm: 'forest',
  trees: 100,
  maxDepth: 10,
  split: 'random',
  baseline: false,
};

function answering(name: string): TaskHandler {
  return async () => ({ step: name });
}

function handlers(changed: Partial<TaskHandlers> = {}): TaskHandlers {
  return {
    Bronze: answering('bronze'),
    Silver: answering('silver'),
    Gold: answering('gold'),
    RecordFailure: answering('record-failure'),
    ...changed,
  };
}

function throwing(
  name: string,
  message: string,
  times = Number.POSITIVE_INFINITY,
): { calls: () => number; handler: TaskHandler } {
  let calls = 0;
  return {
    calls: () => calls,
    handler: async () => {
      calls += 1;
      if (calls > times) return { step: 'at last' };
      const error = new LakeletError('SOME_CODE', message);
      error.name = name;
      throw error;
    },
  };
}

describe('startEmbedded', () => {
  it('runs bronze, silver and gold with the defaults and a run id made up, and gives their summaries', async () => {
    const events: unknown[] = [];
    const note: TaskHandler = async (event) => {
      events.push(event);
      return { rows: events.length };
    };
    const result = await startEmbedded({}, handlers({ Bronze: note, Silver: note, Gold: note }));
    expect(result).toEqual({
      status: 'SUCCEEDED',
      output: {
        runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        bronze: { rows: 1 },
        silver: { rows: 2 },
        gold: { rows: 3 },
      },
    });
    expect(events[0]).toEqual({ ...DEFAULTS, runId: expect.any(String) });
    expect(events[1]).toEqual(events[0]);
    expect(events[2]).toEqual(events[0]);
  });

  it("lets the caller's input win over the defaults, and leaves unknown fields for the steps to refuse", async () => {
    let seen: unknown;
    const input = { runId: 'mine', rows: 7, baseline: true, rowz: 1 };
    await startEmbedded(
      input,
      handlers({
        Bronze: async (event) => {
          seen = event;
        },
      }),
    );
    expect(seen).toEqual({ ...DEFAULTS, ...input });
  });

  it('lets a step take as long as it takes', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const Bronze: TaskHandler = async () => ({ delivered: { rows: 1 } });
    const result = await startEmbedded({ shards: 2 }, handlers({ Bronze }));
    expect(result).toMatchObject({ status: 'SUCCEEDED' });
    const limits = timers.mock.calls.flatMap(([, milliseconds = 0]) => (milliseconds >= 1000 ? [milliseconds] : []));
    timers.mockRestore();
    // Two shards, and each of the three steps.
    expect(limits).toHaveLength(5);
    expect(Math.min(...limits)).toBeGreaterThan(20 * 24 * 3600 * 1000);
  });

  it('tries again what can pass, and nothing else', async () => {
    const passing = throwing('Lakelet.Retryable', 'busy', 2);
    const changes: StateChange[] = [];
    const result = await startEmbedded({}, handlers({ Silver: passing.handler }), {
      retrySeconds: 0,
      onState: (change) => changes.push(change),
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { silver: { step: 'at last' } } });
    expect(passing.calls()).toBe(3);
    expect(changes.filter(({ change }) => change === 'retried')).toMatchObject([
      { state: 'Silver', attempt: 1, error: 'Lakelet.Retryable' },
      { state: 'Silver', attempt: 2, error: 'Lakelet.Retryable' },
    ]);

    const lasting = throwing('Lakelet.TABLE_BROKEN', 'broken');
    await startEmbedded({}, handlers({ Silver: lasting.handler }), { retrySeconds: 0 });
    expect(lasting.calls()).toBe(1);
  });

  it('gives up on what never passes after three more tries', async () => {
    const busy = throwing('Lakelet.Retryable', 'busy');
    const result = await startEmbedded({}, handlers({ Bronze: busy.handler }), { retrySeconds: 0 });
    expect(busy.calls()).toBe(4);
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.Retryable' });
  });

  it('records why a step failed, runs no later step, and fails with that error and cause', async () => {
    const recorded: unknown[] = [];
    let goldRan = false;
    const result = await startEmbedded(
      { runId: 'r1' },
      handlers({
        Silver: throwing('Lakelet.TABLE_BROKEN', 'silver/purchases is "broken"').handler,
        Gold: async () => {
          goldRan = true;
        },
        RecordFailure: async (event) => {
          recorded.push(event);
        },
      }),
    );
    const cause = JSON.stringify({ errorType: 'Lakelet.TABLE_BROKEN', errorMessage: 'silver/purchases is "broken"' });
    expect(recorded).toEqual([{ runId: 'r1', step: 'silver', error: 'Lakelet.TABLE_BROKEN', cause }]);
    expect(goldRan).toBe(false);
    expect(result).toEqual({
      status: 'FAILED',
      error: 'Lakelet.TABLE_BROKEN',
      cause,
      thrown: expect.any(LakeletError),
    });
  });

  it("fails with the step's own error even where the failure can't be recorded", async () => {
    const result = await startEmbedded(
      {},
      handlers({
        Gold: throwing('Lakelet.FIRST', 'first').handler,
        RecordFailure: throwing('Lakelet.SECOND', 'second').handler,
      }),
    );
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.FIRST', thrown: { message: 'first' } });
  });

  it('lands each shard by a call of its own, at most eight at once, and then asks bronze for the whole', async () => {
    const events: unknown[] = [];
    let running = 0;
    let most = 0;
    const changes: StateChange[] = [];
    const Bronze: TaskHandler = async (event) => {
      events.push(event);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      return { delivered: { rows: 1 } };
    };
    const input = { runId: 'r', rows: 12, shards: 12 };
    const result = await startEmbedded(input, handlers({ Bronze }), { onState: (change) => changes.push(change) });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { bronze: { delivered: { rows: 1 } } } });
    const whole = { ...DEFAULTS, ...input };
    expect(events.slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, shard) => ({ ...whole, shard })));
    expect(events.slice(12)).toEqual([whole]);
    expect(most).toBe(8);
    expect(changes.filter(({ state, change }) => state === 'Shard' && change === 'exited')).toHaveLength(12);
  });

  it.each([1, 0, 1001, 2.5, 999.5, 1e300, 'four', null, true, [2], { n: 2 }])(
    'asks bronze alone where %j shards are wanted',
    async (shards) => {
      const events: unknown[] = [];
      const Bronze: TaskHandler = async (event) => {
        events.push(event);
      };
      await startEmbedded({ runId: 'r', shards }, handlers({ Bronze }));
      expect(events).toEqual([{ ...DEFAULTS, runId: 'r', shards }]);
    },
  );

  it('tries a shard again, and leaves what it could not land to the whole, whose error it ends with', async () => {
    const seen: unknown[] = [];
    const Bronze: TaskHandler = async (event) => {
      const { shard } = event as { shard?: number };
      seen.push(shard);
      const error = new LakeletError('STORE_FULL', shard === undefined ? 'the whole' : `shard ${shard}`);
      error.name = shard === 1 ? 'Lakelet.Retryable' : 'Lakelet.STORE_FULL';
      if (shard !== 0) throw error;
      return { delivered: { rows: 1 } };
    };
    const result = await startEmbedded({ shards: 2 }, handlers({ Bronze }), { retrySeconds: 0 });
    expect(seen).toEqual([0, 1, 1, 1, 1, undefined]);
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.STORE_FULL', thrown: { message: 'the whole' } });
  });

  it('stops beginning shards once one has failed for good', async () => {
    const seen: unknown[] = [];
    const Bronze: TaskHandler = async (event) => {
      const { shard } = event as { shard?: number };
      seen.push(shard);
      if (shard !== undefined && shard > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      throw new LakeletError('STORE_FULL', `shard ${shard}`);
    };
    const result = await startEmbedded({ shards: 100 }, handlers({ Bronze }), { retrySeconds: 0 });
    expect(result).toMatchObject({ status: 'FAILED', thrown: { message: 'shard undefined' } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    // Some begin in the moment between the failure and its being known.
    expect(seen.length).toBeLessThan(50);
  });

  it.each(['Lambda.Unknown', 'Runtime.ExitError', 'Sandbox.Timedout'])(
    'tries again what ended with %s, twice',
    async (name) => {
      const dying = throwing(name, 'the process died');
      const result = await startEmbedded({}, handlers({ Gold: dying.handler }), { retrySeconds: 0 });
      expect(dying.calls()).toBe(3);
      expect(result).toMatchObject({ status: 'FAILED', error: name });
    },
  );

  it('starts no further step once its signal has fired', async () => {
    const stop = new AbortController();
    let silverRan = false;
    const result = await startEmbedded(
      {},
      handlers({
        Bronze: async () => {
          stop.abort();
        },
        Silver: async () => {
          silverRan = true;
        },
      }),
      { signal: stop.signal },
    );
    expect(result).toEqual({ status: 'ABORTED' });
    expect(silverRan).toBe(false);
  });

  it.each([null, '', [], 7])('refuses the input %j, which is no object', async (input) => {
    await expect(startEmbedded(input, handlers())).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
