import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeltaTable } from '../../../lib/duckdb/delta.ts';
import { field, newTable, rowsOf, struct } from './tables.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const TEXTS = [
  '',
  'plain',
  'a/b',
  'a=b',
  '50%',
  '%20',
  'two words',
  'ü 日本 😀',
  '..',
  '.',
  '*?[x]',
  'a\0b',
  'x'.repeat(500),
  '__HIVE_DEFAULT_PARTITION__',
  'null',
  `"'`,
  ' ',
  '\n',
  'C:\\x',
  'a:b',
];

test('partition values of all forms come back, on disk and in the log, and are skipped by', async () => {
  const schema = struct(field('n', 'integer'), field('p', 'string'));
  const place = join(folder, 'lake of [x]*');
  const table = await DeltaTable.create(place, { schema, partitionBy: ['p'] });
  const values = [...TEXTS, null];
  await table.append({ rows: values.map((p, n) => ({ n, p })) });
  await table.checkpoint();
  const read = await DeltaTable.open(place);
  const found = (await rowsOf(read)).toSorted((a, b) => Number(a.n) - Number(b.n));
  expect(found.map(({ p }) => p)).toEqual(values.map((p) => (p === '' ? null : p)));
  expect(readdirSync(folder)).toEqual(['lake of [x]*']);
  for (const { path, size } of await read.files()) {
    expect(existsSync(join(place, path))).toBe(true);
    expect(size).toBeGreaterThan(0);
  }
  for (const [n, p] of TEXTS.entries()) {
    if (p === '' || p.includes('\0')) continue;
    const where = `p = '${p.replaceAll("'", "''")}'`;
    expect(await read.files({ where })).toHaveLength(1);
    expect(await rowsOf(read, { where })).toEqual([{ n, p }]);
  }
  expect(await rowsOf(read, { where: 'p IS NULL' })).toHaveLength(2);
});

test('the log has partition values in the form that the protocol gives them', async () => {
  const schema = struct(
    field('n', 'integer'),
    field('at', 'timestamp'),
    field('local', 'timestamp_ntz'),
    field('day', 'date'),
    field('yes', 'boolean'),
    field('number', 'double'),
    field('price', 'decimal(10,2)'),
    field('big', 'long'),
    field('raw', 'binary'),
  );
  const partitionBy = schema.fields.slice(1).map(({ name }) => name);
  const table = await newTable(schema, { partitionBy });
  const row = {
    n: 1,
    at: '1969-12-31T23:59:59.000001Z',
    local: '2024-02-29T12:00:00.5',
    day: '2024-02-29',
    yes: true,
    number: Number.NaN,
    price: '1.5',
    big: 2n ** 63n - 1n,
    raw: Buffer.from('é'),
  };
  await table.append({ rows: [row] });
  expect((await table.files())[0]?.partitionValues).toEqual({
    at: '1969-12-31T23:59:59.000001Z',
    local: '2024-02-29 12:00:00.500000',
    day: '2024-02-29',
    yes: 'true',
    number: 'NaN',
    price: '1.50',
    big: '9223372036854775807',
    raw: 'é',
  });
  expect(await rowsOf(table)).toEqual([
    { ...row, local: '2024-02-29T12:00:00.500000', price: '1.50', raw: new Uint8Array([195, 169]) },
  ]);
});

test('one append writes one file for each partition, with statistics of its own', async () => {
  const table = await newTable(struct(field('n', 'long'), field('a', 'integer'), field('b', 'string')), {
    partitionBy: ['b', 'a'],
  });
  await table.append({
    sql: "SELECT range AS n, (range % 3)::INTEGER AS a, if(range % 2 = 0, 'even', NULL) AS b FROM range(6000)",
  });
  const files = await table.files();
  expect(files).toHaveLength(6);
  for (const { partitionValues, stats, path } of files) {
    expect(stats).toMatchObject({ numRecords: 1000, nullCount: { n: 0 } });
    expect(stats?.minValues).toEqual({ n: expect.any(Number) });
    expect(path).toMatch(
      partitionValues.b === null ? /^b=__HIVE_DEFAULT_PARTITION__\/a=\d\/part-/ : /^b=even\/a=\d\/part-/,
    );
  }
  expect(await rowsOf(table, { where: "b = 'even' AND a = 1 AND n < 10" })).toEqual([{ n: 4n, a: 1, b: 'even' }]);
});

test.each([
  [['a', 'a'], /named twice/],
  [['A', 'a'], /named twice/],
  [['missing'], /missing.*no column/],
  [['list'], /list.*cannot name a partition/],
  [['a', 'b', 'list'], /list/],
])('a table can not be partitioned by %j', async (partitionBy, message) => {
  const schema = struct(
    field('a', 'integer'),
    field('b', 'integer'),
    field('list', { type: 'array', elementType: 'long', containsNull: true }),
  );
  await expect(newTable(schema, { partitionBy })).rejects.toMatchObject({
    code: 'PARTITION_INVALID',
    message: expect.stringMatching(message),
  });
});

test('a table needs a column that it is not partitioned by', async () => {
  await expect(newTable(struct(field('a', 'integer')), { partitionBy: ['a'] })).rejects.toMatchObject({
    code: 'PARTITION_INVALID',
  });
});
