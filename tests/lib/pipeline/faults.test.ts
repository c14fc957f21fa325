import { cpSync } from 'node:fs';
import { openStore } from '../../../lib/storage/index.ts';
import type { Fault } from '../../fault/faulty-store.ts';
import { temporaryFolder } from './folder.ts';
import { Lakehouse } from './lakehouse.ts';
import { blocked, faultyWrites } from './stores.ts';

const folder = temporaryFolder();
const SMALL = { rows: 300, trees: 1, maxDepth: 2 };
const STEPS = ['bronze', 'silver', 'gold'] as const;
type Step = (typeof STEPS)[number];

/** A lake on which a first run is done, and all steps of a second one before `step`. */
async function prepared(step: Step): Promise<string> {
  const path = folder();
  const house = new Lakehouse(openStore(path));
  await house.all({ ...SMALL, runId: 'first' });
  for (const earlier of STEPS.slice(0, STEPS.indexOf(step))) await house[earlier]({ ...SMALL, seed: 7, runId: 'r' });
  return path;
}

/** Does the step on a copy of the lake while its Nth write fails, then again without fault. */
async function strike(
  path: string,
  step: Step,
  failAt: number,
  fault: Fault,
  changed: object = {},
): Promise<{ house: Lakehouse; struck: boolean }> {
  const event = { ...SMALL, seed: 7, runId: 'r', ...changed };
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  const house = new Lakehouse(openStore(copy));
  const plan = { failAt, fault, calls: 0, struck: false };
  await house
    .through(faultyWrites(house.lake, plan))
    [step](event)
    .catch((error: unknown) => {
      if (!plan.struck) throw error;
    });
  await house[step](event);
  return { house, struck: plan.struck };
}

/** What must hold however the step got there: all tables' rows, and one entry in ops/runs for each table it wrote. */
async function outcome(house: Lakehouse): Promise<unknown> {
  return {
    contents: await house.contents(),
    runs: await house.query('SELECT run_id, step, "table", rows_good FROM ops.runs ORDER BY ALL'),
  };
}

describe('a step whose Nth write fails, and which is then repeated', () => {
  // That a lost answer is settled is the store's and the log's own promise, so one step is enough to show it.
  it.each([
    ['bronze', 'before', {}],
    ['bronze', 'after', {}],
    ['bronze', 'before', { rows: 5000, shards: 3 }],
    ['silver', 'before', {}],
    ['gold', 'before', {}],
  ] as const)(
    '%s (the write fails %s it is done; with %j) has its effect once, for every N',
    async (step, fault, changed) => {
      const path = await prepared(step);
      const { house: unharmed } = await strike(path, step, 0, fault, changed);
      const expected = await outcome(unharmed);
      let struck = true;
      let n = 0;
      while (struck) {
        n++;
        const done = await strike(path, step, n, fault, changed);
        struck = done.struck;
        expect({ n, ...((await outcome(done.house)) as object) }).toEqual({ n, ...(expected as object) });
      }
      expect(n).toBeGreaterThan(2);
    },
    120_000,
  );
});

describe('a step that was cut off between its tables', () => {
  it('makes both anew when bronze has grown before it is repeated', async () => {
    const path = await prepared('silver');
    const house = new Lakehouse(openStore(path));
    await cutOff(house, 'silver', 'silver/purchases/');
    await house.bronze({ ...SMALL, seed: 8, runId: 'later' });
    await house.silver({ ...SMALL, seed: 7, runId: 'r' });
    expect(await sumOfSilver(house)).toEqual(await rowsOfBronze(house));
  });

  it('gives way to a run that went by in the meantime', async () => {
    const path = await prepared('silver');
    const house = new Lakehouse(openStore(path));
    await cutOff(house, 'silver', 'silver/purchases/');
    await house.bronze({ ...SMALL, seed: 8, runId: 'later' });
    await house.silver({ ...SMALL, seed: 8, runId: 'later' });
    const contents = await house.contents();
    await house.silver({ ...SMALL, seed: 7, runId: 'r' });
    expect(await house.contents()).toEqual(contents);
  });
});

/** Does a step on a lake where no write below `prefix` succeeds. */
async function cutOff(house: Lakehouse, step: Step, prefix: string): Promise<void> {
  const broken = blocked(house.lake, prefix);
  await expect(house.through(broken)[step]({ ...SMALL, seed: 7, runId: 'r' })).rejects.toMatchObject({
    code: 'STORE_FAILED',
  });
}

/** Distinct keys of bronze, and records without one: each is in silver or in the quarantine. */
async function rowsOfBronze(house: Lakehouse): Promise<unknown> {
  return house.query(`SELECT (count(DISTINCT purchase_id) + count(*) FILTER (purchase_id IS NULL))::INTEGER AS n
    FROM bronze.purchases`);
}

async function sumOfSilver(house: Lakehouse): Promise<unknown> {
  return house.query(`SELECT ((SELECT count(*) FROM silver.purchases) +
    (SELECT count(*) FROM silver.purchases_quarantine))::INTEGER AS n`);
}
