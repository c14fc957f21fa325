import { LakeletError } from '../../../lib/errors.ts';
import type { StepSummary } from '../../../lib/pipeline/run-log.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { temporaryFolder } from './folder.ts';
import { Lakehouse } from './lakehouse.ts';
import { blocked, meanwhile } from './stores.ts';

const folder = temporaryFolder();
const SMALL = { rows: 500, trees: 1, maxDepth: 2 };

/** Does a step as the state machine does: again while what it throws can pass. */
async function retrying(step: () => Promise<StepSummary>, conflicts: unknown[] = []): Promise<StepSummary> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof LakeletError && error.retryable)) throw error;
      conflicts.push(error);
    }
  }
}

async function runAll(house: Lakehouse, event: object): Promise<void> {
  await retrying(() => house.bronze({ ...SMALL, ...event }));
  await retrying(() => house.silver({ ...SMALL, ...event }));
  await retrying(() => house.gold({ ...SMALL, ...event }));
}

describe('runs at the same time', () => {
  it('on one lake leave in silver, quarantine and gold what all of bronze gives', async () => {
    const house = new Lakehouse(openStore(folder()));
    await Promise.all([1, 2, 3, 4].map((seed) => runAll(house, { runId: `r${seed}`, seed })));
    const together = (await house.contents()).slice(1);

    const alone = new Lakehouse(openStore(folder()));
    for (const seed of [1, 2, 3, 4]) await alone.bronze({ ...SMALL, runId: `r${seed}`, seed });
    await runAll(alone, { runId: 'r4', seed: 4 });
    expect(together).toEqual((await alone.contents()).slice(1));
  });

  it('of one id have their effect once, and answer the same', async () => {
    const house = new Lakehouse(openStore(folder()));
    for (const step of ['bronze', 'silver', 'gold'] as const) {
      const answers = await Promise.all([1, 2, 3].map(() => retrying(() => house[step]({ ...SMALL, runId: 'r' }))));
      expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    }
    expect(await house.query('SELECT count(*)::INTEGER AS n FROM bronze.purchases')).toEqual([{ n: 500 }]);
    expect(await house.query('SELECT step, count(*)::INTEGER AS n FROM ops.runs GROUP BY ALL ORDER BY ALL')).toEqual([
      { step: 'bronze', n: 1 },
      { step: 'gold', n: 4 },
      { step: 'silver', n: 2 },
    ]);
  });

  it('of one id, between which bronze grows, leave silver and its quarantine of one and the same bronze', async () => {
    const house = new Lakehouse(openStore(folder()));
    await runAll(house, { runId: 'first' });
    await house.bronze({ ...SMALL, runId: 'r', seed: 2 });
    // The other process has made the quarantine, and no more, when bronze grows.
    const act = async (): Promise<void> => {
      const cut = house.through(blocked(house.lake, 'silver/purchases/'));
      await expect(cut.silver({ runId: 'r' })).rejects.toMatchObject({ code: 'STORE_FAILED' });
      await house.bronze({ ...SMALL, runId: 'later', seed: 3 });
    };
    const slow = house.through(meanwhile(house.lake, 'silver/purchases', { act }));
    const conflicts: unknown[] = [];
    await retrying(() => slow.silver({ runId: 'r' }), conflicts);
    expect(conflicts).toMatchObject([{ code: 'CONCURRENT_TRANSACTION' }]);
    const contents = await house.contents();
    await retrying(() => house.silver({ runId: 'fresh' }));
    expect(await house.contents()).toEqual(contents);
  });

  it('of one id write each table once, where one is done with silver before the other begins to publish', async () => {
    const house = new Lakehouse(openStore(folder()));
    await house.bronze({ ...SMALL, runId: 'r' });
    const once = { act: async () => void (await house.silver({ runId: 'r' })) };
    const slow = house.through(meanwhile(house.lake, 'silver/purchases', once));
    const answer = await retrying(() => slow.silver({ runId: 'r' }));
    expect(answer).toMatchObject({ tables: [{ version: 1 }, { version: 1 }] });
    expect(await house.query("SELECT version::INTEGER AS version FROM ops.runs WHERE step = 'silver'")).toEqual([
      { version: 1 },
      { version: 1 },
    ]);
  });

  it.each([
    ['silver', 'silver/purchases_quarantine'],
    ['gold', 'gold/purchases_by_category'],
  ] as const)('%s never puts the result of an older input over that of a newer one', async (step, target) => {
    const house = new Lakehouse(openStore(folder()));
    await runAll(house, { runId: 'r1' });
    await house.bronze({ ...SMALL, runId: 'slow', seed: 2 });
    if (step === 'gold') await house.silver({ ...SMALL, runId: 'slow', seed: 2 });
    const once = { act: () => runAll(house, { runId: 'fast', seed: 3 }) };
    const slow = house.through(meanwhile(house.lake, target, once));
    await retrying(() => slow[step]({ ...SMALL, runId: 'slow', seed: 2 }));
    expect(once).toHaveProperty('done');

    const contents = await house.contents();
    await runAll(house, { runId: 'fresh', seed: 3 });
    expect((await house.contents()).slice(1)).toEqual(contents.slice(1));
  });
});
