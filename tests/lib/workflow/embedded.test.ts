import { LakeletError } from '../../../lib/errors.ts';
import { type StateChange, startEmbedded, type TaskHandler, type TaskHandlers } from '../../../lib/workflow/index.ts';

const DEFAULTS = { rows: 100_000, seed: 42, shards: 1, trees: 100, maxDepth: 10, baseline: false };

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

  it('tries again what can pass, and nothing else', async () => {
    const passing = throwing('Lakelet.Retryable', 'busy', 2);
    const changes: StateChange[] = [];
    const result = await startEmbedded({}, handlers({ Silver: passing.handler }), {
      retrySeconds: 0,
      onState: (change) => changes.push(change),
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { silver: { step: 'at last' } } });
    expect(passing.calls()).toBe(3);
    expect(changes.filter(({ change }) => change === 'retried').map(({ state }) => state)).toEqual([
      'Silver',
      'Silver',
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
