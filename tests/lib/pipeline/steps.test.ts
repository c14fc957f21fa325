import { readRecord, recordKeys } from '../../../lib/mlflow/index.ts';
import type { StepSummary } from '../../../lib/pipeline/run-log.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { temporaryFolder } from './folder.ts';
import { Lakehouse } from './lakehouse.ts';

const folder = temporaryFolder();
let house: Lakehouse;

beforeEach(() => {
  house = new Lakehouse(openStore(folder()));
});

async function count(table: string): Promise<number> {
  const [row] = await house.query(`SELECT count(*) AS n FROM ${table}`);
  return Number(row?.n);
}

describe('a run', () => {
  it('accounts for every record, and the tables hold what the summaries say', async () => {
    const [bronze, silver, gold] = await house.all({ runId: 'r1' });
    expect(bronze).toMatchObject({ runId: 'r1', step: 'bronze', delivered: { rows: 2000, source: 'faker:seed=42' } });
    expect(silver.accounting).toEqual({ run: expect.anything(), all: expect.anything() });
    const [rows] = await house.query(`SELECT
      (SELECT count(*) FROM bronze.purchases) AS "in",
      (SELECT count(*) FROM silver.purchases) AS good,
      (SELECT count(*) FROM silver.purchases_quarantine) AS quarantined`);
    const counted = Object.fromEntries(Object.entries(rows ?? {}).map(([name, value]) => [name, Number(value)]));
    const duplicates = (counted.in ?? 0) - (counted.good ?? 0) - (counted.quarantined ?? 0);
    expect(duplicates).toBeGreaterThan(0);
    expect(counted.quarantined).toBeGreaterThan(0);
    expect(silver.accounting).toMatchObject({
      run: { ...counted, duplicates, rejected: 0 },
      all: { ...counted, duplicates, rejected: 0 },
    });
    for (const { table, rows: told, files } of [...bronze.tables, ...silver.tables, ...gold.tables]) {
      expect({ table, told }).toEqual({ table, told: await count(table.replace('/', '.')) });
      expect(files).toBe(1);
    }
    expect(gold).toMatchObject({
      model: { name: 'purchase-amount', r2: expect.any(Number), rmse: expect.any(Number) },
      mlflow: { version: '1', champion: true },
    });
  });

  it('stamps each record with its run, its source and one moment', async () => {
    await house.bronze({ runId: 'r1' });
    expect(
      await house.query(
        'SELECT run_id, source, count(DISTINCT ingested_at)::INTEGER AS moments FROM bronze.purchases GROUP BY ALL',
      ),
    ).toEqual([{ run_id: 'r1', source: 'faker:seed=42', moments: 1 }]);
  });

  it('writes into ops/runs what each step did to each table', async () => {
    const [bronze, silver] = await house.all({ runId: 'r1' });
    const rows =
      await house.query(`SELECT step, status, "table", version::INTEGER AS version, rows_in::INTEGER AS rows_in,
      rows_good::INTEGER AS rows_good, code_version, started_at <= ended_at AS ordered FROM ops.runs ORDER BY started_at, "table"`);
    const common = { status: 'succeeded', code_version: expect.stringMatching(/^\d+\.\d+\.\d+$/), ordered: true };
    const { in: rows_in, good: rows_good } = (silver.accounting as { run: { in: number; good: number } }).run;
    const none = { rows_in: null, rows_good: null };
    expect(rows).toEqual([
      { ...common, ...none, step: 'bronze', table: 'bronze/purchases', version: bronze.tables[0]?.version },
      { ...common, step: 'silver', table: 'silver/purchases', version: 1, rows_in, rows_good },
      { ...common, step: 'silver', table: 'silver/purchases_quarantine', version: 1, rows_in, rows_good },
      { ...common, ...none, step: 'gold', table: 'gold/predictions', version: 1 },
      { ...common, ...none, step: 'gold', table: 'gold/purchases_by_category', version: 1 },
      { ...common, ...none, step: 'gold', table: 'gold/purchases_by_demographics', version: 1 },
      { ...common, ...none, step: 'gold', table: 'gold/purchases_by_period', version: 1 },
    ]);
  });

  it('trains the same model, to the bit, from the same silver', async () => {
    const [, , gold] = await house.all({ runId: 'r1' });
    const again = await house.gold({ runId: 'r2' });
    const { seconds: _, ...model } = gold.model as Record<string, unknown>;
    expect(again.model).toMatchObject(model);
    expect(again).toMatchObject({ mlflow: { champion: false }, importances: gold.importances });
  });

  it('trains boosted trees, scored on the latest rows, and records how', async () => {
    const [, silver, gold] = await house.all({ runId: 'r1', algorithm: 'boosting', split: 'time' });
    expect(gold).toMatchObject({ model: { algorithm: 'boosting', trees: 2, r2: expect.any(Number) } });
    const [key = ''] = await recordKeys(house.records);
    const { training } = await readRecord(house.records, key);
    expect(training).toMatchObject({
      params: { algorithm: 'boosting', n_estimators: 2, max_depth: 4, split: 'time' },
      metrics: { interval_coverage: expect.any(Number), interval_mean_width: expect.any(Number) },
      tags: { 'lakelet.version': expect.any(String) },
      dataset: { version: silver.tables.find(({ table }) => table === 'silver/purchases')?.version },
    });
    const [learnt] = await house.query(
      `SELECT count(*)::INTEGER AS n FROM silver.purchases WHERE ${training.dataset.predicate}`,
    );
    expect(learnt).toEqual({ n: training.dataset.profile.num_train });
  });

  it('tells how the champion does on the same rows', async () => {
    await house.all({ runId: 'r1', trees: 20 });
    const first = await house.gold({ runId: 'r2', trees: 20 });
    const { r2, mae, rmse } = first.model as { r2: number; mae: number; rmse: number };
    expect(first.comparisons).toEqual([
      expect.objectContaining({ name: 'mean' }),
      { name: 'the champion, version 1', r2: expect.closeTo(r2), mae: expect.closeTo(mae), rmse: expect.closeTo(rmse) },
    ]);
    expect(first.mlflow).toMatchObject({ champion: false, reason: expect.stringContaining('version 1') });
    // Boosted trees of many rounds are surely better on these rows than twenty trees of depth 4.
    const boosted = await house.gold({ runId: 'r3', algorithm: 'boosting', trees: 60 });
    expect(boosted.mlflow).toMatchObject({ champion: true, reason: expect.stringContaining('paired test') });
    const after = await house.gold({ runId: 'r4', trees: 20 });
    expect(after.comparisons).toContainEqual(expect.objectContaining({ name: 'the champion, version 3' }));
  });

  it('compares with ml-random-forest when asked', async () => {
    await house.bronze({ runId: 'r1' });
    await house.silver({ runId: 'r1' });
    const { comparisons } = await house.gold({ runId: 'r1', baseline: true });
    expect(comparisons).toEqual([
      expect.objectContaining({ name: 'mean' }),
      expect.objectContaining({ name: 'ml-random-forest', r2: expect.any(Number) }),
    ]);
  });
});

describe('a second delivery', () => {
  it('of the same purchases grows bronze alone: silver, its quarantine and gold hold the same rows', async () => {
    await house.all({ runId: 'r1' });
    const derived = (await house.contents()).slice(1);
    const [bronze, silver] = await house.all({ runId: 'r2' });
    expect(bronze.tables[0]?.rows).toBe(4000);
    expect(silver.accounting).toMatchObject({
      run: { in: 2000, good: 0, quarantined: expect.any(Number), duplicates: expect.any(Number) },
      all: { in: 4000 },
    });
    expect((await house.contents()).slice(1)).toEqual(derived);
  });

  it('with another seed adds its purchases', async () => {
    const [, first] = await house.all({ runId: 'r1' });
    const [, second] = await house.all({ runId: 'r2', seed: 7 });
    expect(second.tables[0]?.rows).toBeGreaterThan(1.8 * (first.tables[0]?.rows ?? Number.NaN));
    expect(second.accounting).toMatchObject({ run: { in: 2000 }, all: { in: 4000 } });
  });
});

describe('a repeated step', () => {
  let done: Lakehouse;
  let summaries: readonly StepSummary[];

  beforeAll(async () => {
    done = new Lakehouse(openStore(folder()));
    summaries = await done.all({ runId: 'r1' });
  });

  it.each(['bronze', 'silver', 'gold'] as const)('%s answers what it answered, and writes nothing', async (step) => {
    const versions = await done.versions();
    const again = await done[step]({ runId: 'r1' });
    expect(again).toEqual(summaries.find((summary) => summary.step === step));
    expect(await done.versions()).toEqual(versions);
  });

  it('answers the same also after later runs', async () => {
    await done.all({ runId: 'r2', seed: 7 });
    expect(await done.all({ runId: 'r1' })).toEqual(summaries);
  });

  it.each([
    ['bronze', { rows: 1000 }, 'rows was 2000, now 1000'],
    ['bronze', { seed: 1 }, 'seed was 42, now 1'],
    ['bronze', { shards: 2 }, 'shards was 1, now 2'],
    ['gold', { trees: 3 }, 'trees was 2, now 3'],
    ['gold', { maxDepth: 3 }, 'maxDepth was 4, now 3'],
    ['gold', { baseline: true }, 'baseline was false, now true'],
    ['gold', { algorithm: 'boosting' }, 'algorithm was not set, now boosting'],
    ['gold', { split: 'time' }, 'split was not set, now time'],
  ] as const)('%s with %j under the same run id is refused', async (step, parameters, why) => {
    const versions = await done.versions();
    await expect(done[step]({ runId: 'r1', ...parameters })).rejects.toMatchObject({
      code: 'RUN_ID_REUSED',
      message: expect.stringContaining(why),
    });
    expect(await done.versions()).toEqual(versions);
  });
});

describe('a step without its input', () => {
  it.each([
    ['silver', 'bronze/purchases', 'run bronze first'],
    ['gold', 'silver/purchases', 'run silver first'],
  ] as const)('%s says that %s is not there, and leaves no table of its own', async (step, table, advice) => {
    await expect(house[step]({ runId: 'r1' })).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
      message: expect.stringMatching(new RegExp(`${table}.*${advice}`)),
    });
    const keys: string[] = [];
    for await (const { key } of house.lake.list('')) keys.push(key);
    expect(keys.filter((key) => !key.startsWith('ops/runs/'))).toEqual([]);
  });

  it('gold refuses a silver with too few rows, with the aggregates made', async () => {
    await house.bronze({ runId: 'r1', rows: 1 });
    await house.silver({ runId: 'r1' });
    await expect(house.gold({ runId: 'r1' })).rejects.toMatchObject({ code: 'TOO_FEW_ROWS' });
    expect(await count('gold.purchases_by_period')).toBe(await count('silver.purchases'));
  });
});

describe('shards', () => {
  it('land the rows that the whole delivery has, each once', async () => {
    const rows = 20_000;
    await house.bronze({ runId: 'whole', rows });
    for (const shard of [2, 0, 1, 0]) await house.bronze({ runId: 'parts', rows, shards: 3, shard });
    const difference = (a: string, b: string): string =>
      `SELECT * EXCLUDE (run_id, ingested_at) FROM bronze.purchases WHERE run_id = '${a}'
       EXCEPT ALL SELECT * EXCLUDE (run_id, ingested_at) FROM bronze.purchases WHERE run_id = '${b}'`;
    expect(await house.query(difference('whole', 'parts'))).toEqual([]);
    expect(await house.query(difference('parts', 'whole'))).toEqual([]);
  });

  it('and then the whole answer what the whole alone answers, with the same versions', async () => {
    const rows = 20_000;
    for (const shard of [2, 0, 1]) await house.bronze({ runId: 'r', rows, shards: 3, shard });
    const summary = await house.bronze({ runId: 'r', rows, shards: 3 });
    const alone = new Lakehouse(openStore(folder()));
    const expected = await alone.bronze({ runId: 'r', rows, shards: 3 });
    expect(summary).toEqual(expected);
    expect(summary).toMatchObject({
      tables: [{ table: 'bronze/purchases', rows, files: 3 }],
      delivered: { rows, source: 'faker:seed=42', seed: 42, shards: 3 },
    });
    expect(await house.query('SELECT step, version, rows FROM ops.runs')).toEqual(
      await alone.query('SELECT step, version, rows FROM ops.runs'),
    );
  });

  it('that are missing are landed by the whole, and no other', async () => {
    const rows = 20_000;
    const shard = await house.bronze({ runId: 'r', rows, shards: 3, shard: 1 });
    await house.bronze({ runId: 'r', rows, shards: 3 });
    expect(await count('bronze.purchases')).toBe(rows);
    // A shard answers the same afterwards.
    expect(await house.bronze({ runId: 'r', rows, shards: 3, shard: 1 })).toEqual(shard);
    expect(shard).toMatchObject({ step: 'bronze', tables: [{ files: 1 }], delivered: { shard: 1, shards: 3 } });
  });

  it('of one make the same as the whole in one part', async () => {
    await house.bronze({ runId: 'r', shards: 1, shard: 0 });
    await house.bronze({ runId: 'r' });
    expect(await count('bronze.purchases')).toBe(2000);
  });

  it('that all come at once, on a lake that is not there yet, land each once', async () => {
    const rows = 20_000;
    const event = { runId: 'r', rows, shards: 6 };
    const shards = [0, 1, 2, 3, 4, 5, 0, 5].map((shard) => house.bronze({ ...event, shard }));
    await Promise.all([...shards, house.bronze(event)]);
    expect(await house.bronze(event)).toMatchObject({ tables: [{ rows, files: 6 }], delivered: { rows } });
    expect(await count('bronze.purchases')).toBe(rows);
  });

  it.each([1, 2, 3])(
    'that come at once with those of other counts (%d) are refused, or refuse those',
    async (shards) => {
      const answers = await Promise.allSettled([
        ...[0, 1, 2, 3].map((shard) => house.bronze({ runId: 'r', rows: 20_000, shards: 4, shard })),
        house.bronze({ runId: 'r', rows: 20_000, shards }),
      ]);
      const refused = answers.filter(({ status }) => status === 'rejected');
      expect([1, 4]).toContain(refused.length);
      for (const answer of refused) expect(answer).toMatchObject({ reason: { code: 'RUN_ID_REUSED' } });
      expect(await count('bronze.purchases')).toBe(20_000);
    },
  );

  it('of other counts under one run id are refused', async () => {
    await house.bronze({ runId: 'a', shards: 3, shard: 2 });
    for (const other of [{ shards: 2, shard: 0 }, { shards: 2 }, { shards: 1 }]) {
      await expect(house.bronze({ runId: 'a', ...other })).rejects.toMatchObject({ code: 'RUN_ID_REUSED' });
    }
    await house.bronze({ runId: 'b' });
    await expect(house.bronze({ runId: 'b', shards: 2, shard: 0 })).rejects.toMatchObject({ code: 'RUN_ID_REUSED' });
  });
});
