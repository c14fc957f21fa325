import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api';
import { DROP_SPLIT, type SplitRules, splitSql } from '../../../lib/quality/split.ts';

const rules: SplitRules = {
  columns: [{ name: 'id' }, { name: 'updated' }, { name: 'the value' }],
  identity: { key: 'id', updatedAt: 'updated' },
  expectations: [
    { rule: 'value_positive', condition: '"the value" > 0', reason: "It's not above 0." },
    {
      rule: 'value_small',
      condition: '"the value" < 100 -- what follows in the line is a comment',
      reason: 'Too large.',
    },
  ],
};

let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeEach(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});

afterEach(() => {
  connection.closeSync();
  instance.closeSync();
});

/** Splits records given as SQL rows of id, updated (a day of January), value, run, ingested (a second); source is always s. */
async function split(...records: readonly string[]): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP VIEW bronze AS
    SELECT id::VARCHAR AS id, make_date(2026, 1, day::INTEGER) AS updated, value::INTEGER AS "the value", run AS run_id,
      's' AS source, TIMESTAMPTZ '2026-02-01 00:00:00+00' + to_seconds(second) AS ingested_at
    FROM (VALUES ${records.join(', ')}) AS records (id, day, value, run, second)`);
  await connection.run(splitSql(rules));
}

async function rows(sql: string): Promise<Record<string, Json>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

async function good(): Promise<unknown[]> {
  return (await rows('SELECT id, "the value" AS value, run_id FROM good ORDER BY ALL')).map(Object.values);
}

async function quarantined(): Promise<unknown[]> {
  return (await rows('SELECT id, "the value" AS value, rule FROM quarantined')).map(Object.values);
}

async function fates(): Promise<unknown[]> {
  return (await rows('FROM fates')).map(Object.values);
}

test('the latest update of a key counts, wherever it lies', async () => {
  await split(`('a', 2, 20, 'r1', 1)`, `('a', 3, 30, 'r1', 1)`, `('a', 1, 10, 'r1', 1)`, `('b', 1, 1, 'r1', 1)`);
  expect(await good()).toEqual([
    ['a', 30, 'r1'],
    ['b', 1, 'r1'],
  ]);
  expect(await fates()).toEqual([['r1', '4', '2', '0', '2']]);
});

test('of equal updates the one delivered first counts', async () => {
  await split(`('a', 1, 20, 'r2', 2)`, `('a', 1, 10, 'r1', 1)`);
  expect(await good()).toEqual([['a', 10, 'r1']]);
  expect(await fates()).toEqual([
    ['r1', '1', '1', '0', '0'],
    ['r2', '1', '0', '0', '1'],
  ]);
});

test('an update that is missing is older than any', async () => {
  await split(
    `('a', NULL, 20, 'r1', 1)`,
    `('a', 1, 10, 'r2', 2)`,
    `('b', NULL, 1, 'r2', 2)`,
    `('b', NULL, 2, 'r1', 1)`,
  );
  expect(await good()).toEqual([
    ['a', 10, 'r2'],
    ['b', 2, 'r1'],
  ]);
});

test('exact copies leave one record', async () => {
  await split(...Array.from({ length: 5 }, () => `('a', 1, 10, 'r1', 1)`));
  expect(await good()).toEqual([['a', 10, 'r1']]);
  expect(await fates()).toEqual([['r1', '5', '1', '0', '4']]);
});

test('records that tie in all but their values leave the same one in whatever order they lie', async () => {
  const tied = [`('a', 1, 30, 'r1', 1)`, `('a', 1, 10, 'r1', 1)`, `('a', 1, 20, 'r1', 1)`];
  for (const records of [tied, tied.toReversed(), [...tied.slice(1), ...tied.slice(0, 1)]]) {
    await split(...records);
    expect(await good()).toEqual([['a', 10, 'r1']]);
  }
});

test('a record is quarantined by the first rule that it breaks, with the reason', async () => {
  await split(`('a', 1, 0, 'r1', 1)`, `('b', 1, 100, 'r1', 1)`, `('c', 1, NULL, 'r1', 1)`, `('d', 1, 99, 'r1', 1)`);
  expect(await quarantined()).toEqual([
    ['a', 0, 'value_positive'],
    ['b', 100, 'value_small'],
    ['c', null, 'value_positive'],
  ]);
  expect(await rows('SELECT DISTINCT reason FROM quarantined ORDER BY ALL')).toEqual([
    { reason: "It's not above 0." },
    { reason: 'Too large.' },
  ]);
  expect(await good()).toEqual([['d', 99, 'r1']]);
});

test('a correction heals a record, or spoils it', async () => {
  await split(`('a', 1, 0, 'r1', 1)`, `('a', 2, 5, 'r1', 1)`, `('b', 1, 5, 'r1', 1)`, `('b', 2, 0, 'r1', 1)`);
  expect(await good()).toEqual([['a', 5, 'r1']]);
  expect(await quarantined()).toEqual([['b', 0, 'value_positive']]);
  expect(await fates()).toEqual([['r1', '4', '1', '1', '2']]);
});

test('records without a key are each quarantined, never duplicates of one another', async () => {
  await split(`(NULL, 1, 5, 'r1', 1)`, `(NULL, 1, 5, 'r1', 1)`, `('a', 1, 5, 'r1', 1)`);
  expect(await quarantined()).toEqual([
    [null, 5, 'id_missing'],
    [null, 5, 'id_missing'],
  ]);
  expect(await fates()).toEqual([['r1', '3', '1', '2', '0']]);
});

test('a second delivery of the same records changes neither the good nor the quarantined', async () => {
  const delivery = (run: number) => [
    `('a', 1, 5, 'r${run}', ${run})`,
    `('a', 1, 5, 'r${run}', ${run})`,
    `('b', 1, 0, 'r${run}', ${run})`,
    `('c', 1, 5, 'r${run}', ${run})`,
    `('c', 2, 6, 'r${run}', ${run})`,
  ];
  await split(...delivery(1));
  const once = [await rows('FROM good ORDER BY ALL'), await rows('FROM quarantined')];
  await split(...delivery(2), ...delivery(1), ...delivery(3));
  expect([await rows('FROM good ORDER BY ALL'), await rows('FROM quarantined')]).toEqual(once);
  expect(await fates()).toEqual([
    ['r1', '5', '2', '1', '2'],
    ['r2', '5', '0', '0', '5'],
    ['r3', '5', '0', '0', '5'],
  ]);
});

test('an empty bronze splits into nothing', async () => {
  await split(`('a', 1, 5, 'r1', 1)`);
  await connection.run('CREATE OR REPLACE TEMP VIEW none AS FROM bronze WHERE false');
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE empty AS FROM none; CREATE OR REPLACE TEMP VIEW bronze AS FROM empty',
  );
  await connection.run(splitSql(rules));
  expect([await good(), await quarantined(), await fates()]).toEqual([[], [], []]);
});

test('good has the columns of bronze, quarantined the rule and the reason too', async () => {
  await split(`('a', 1, 5, 'r1', 1)`);
  const bronze = ['id', 'updated', 'the value', 'run_id', 'source', 'ingested_at'];
  expect((await connection.runAndReadAll('FROM good')).columnNames()).toEqual(bronze);
  expect((await connection.runAndReadAll('FROM quarantined')).columnNames()).toEqual([...bronze, 'rule', 'reason']);
});

test('what the split made is dropped, and may be dropped again', async () => {
  await split(`('a', 1, 5, 'r1', 1)`);
  await connection.run(DROP_SPLIT);
  await connection.run(DROP_SPLIT);
  expect(await rows(`SELECT * FROM duckdb_tables() WHERE table_name LIKE 'split%'`)).toEqual([]);
  await expect(rows('FROM good')).rejects.toThrow('good');
});
