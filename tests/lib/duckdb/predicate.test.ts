import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Predicate } from '../../../lib/delta/expr/predicate.ts';
import type { DataType, StructType } from '../../../lib/delta/schema/types.ts';
import { parsePredicate } from '../../../lib/duckdb/predicate.ts';

const struct = (fields: Record<string, DataType>): StructType => ({
  type: 'struct',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
});

const schema = struct({
  Id: 'long',
  i: 'integer',
  f: 'float',
  d: 'double',
  dec: 'decimal(10,2)',
  name: 'string',
  flag: 'boolean',
  day: 'date',
  ts: 'timestamp',
  ntz: 'timestamp_ntz',
  bin: 'binary',
  'A b': struct({ 'c.d': 'string', t: 'integer' }),
  t: struct({ i: 'string' }),
});

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  await connection.run(`SET TimeZone = 'America/New_York'`);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const parse = (sql: string, table?: string) =>
  parsePredicate(connection, sql, schema, table === undefined ? {} : { table });
const unknown: Predicate = { op: 'unknown' };

describe('conditions that are understood', () => {
  test.each<[string, Predicate]>([
    ['id = 1', { op: 'eq', column: ['Id'], value: 1n }],
    ['"ID" <> -9223372036854775808', { op: 'ne', column: ['Id'], value: -9223372036854775808n }],
    ['5 < i', { op: 'gt', column: ['i'], value: 5n }],
    ['i >= 2.50', { op: 'ge', column: ['i'], value: '2.50' }],
    ['i = -0.05', { op: 'eq', column: ['i'], value: '-0.05' }],
    ["i = '5'", { op: 'eq', column: ['i'], value: 5n }],
    ['i < 1e3', { op: 'lt', column: ['i'], value: 1000 }],
    ['i = 5::BIGINT -- five', { op: 'eq', column: ['i'], value: 5n }],
    ['i = 2 + 3', { op: 'eq', column: ['i'], value: 5n }],
    ['id < 12345678901234567890123.45', { op: 'lt', column: ['Id'], value: '12345678901234567890123.45' }],
    ['id < 170141183460469231731687303715884105727', { op: 'lt', column: ['Id'], value: 2n ** 127n - 1n }],
    ['d = 0.1', { op: 'eq', column: ['d'], value: 0.1 }],
    ['d < 1e999', { op: 'lt', column: ['d'], value: Number.POSITIVE_INFINITY }],
    ["d = 'NaN'", { op: 'eq', column: ['d'], value: Number.NaN }],
    ['dec <= 1.5', { op: 'le', column: ['dec'], value: '1.5' }],
    // DuckDB casts the string to the column's scale
    ["dec = '1.499'", { op: 'eq', column: ['dec'], value: '1.50' }],
    ["name = 'it''s'", { op: 'eq', column: ['name'], value: "it's" }],
    [
      'name > \'9007199254740993 "x": Infinity\'',
      { op: 'gt', column: ['name'], value: '9007199254740993 "x": Infinity' },
    ],
    ['flag', { op: 'eq', column: ['flag'], value: true }],
    ['NOT flag', { op: 'not', child: { op: 'eq', column: ['flag'], value: true } }],
    ['flag IS NOT FALSE', { op: 'not', child: { op: 'eqNullSafe', column: ['flag'], value: false } }],
    ['flag = TRUE', { op: 'eq', column: ['flag'], value: true }],
    ["day >= DATE '2024-02-29'", { op: 'ge', column: ['day'], value: '2024-02-29' }],
    ["day = '2024-2-9'", { op: 'eq', column: ['day'], value: '2024-02-09' }],
    ["day < TIMESTAMP '2024-01-01 12:00:00'", { op: 'lt', column: ['day'], value: '2024-01-01T12:00:00' }],
    ["day > DATE '2024-01-31' + INTERVAL 1 MONTH", { op: 'gt', column: ['day'], value: '2024-02-29T00:00:00' }],
    ["day > DATE '2024-01-31' - 30", { op: 'gt', column: ['day'], value: '2024-01-01' }],
    ["ts < TIMESTAMPTZ '2024-01-01 00:00:00+00'", { op: 'lt', column: ['ts'], value: '2024-01-01T00:00:00Z' }],
    // what has no zone is one of the connection's
    ["ts = '2024-07-01 00:00:00.25'", { op: 'eq', column: ['ts'], value: '2024-07-01T04:00:00.25Z' }],
    ["ts >= DATE '2024-01-01'", { op: 'ge', column: ['ts'], value: '2024-01-01T05:00:00Z' }],
    ["ntz = '2024-07-01'", { op: 'eq', column: ['ntz'], value: '2024-07-01T00:00:00' }],
    ['i BETWEEN 1 AND 2', { op: 'between', column: ['i'], lower: 1n, upper: 2n }],
    ['id BETWEEN 9007199254740993 AND 1e300', { op: 'between', column: ['Id'], lower: 2 ** 53, upper: 1e300 }],
    ['i NOT BETWEEN 1 AND 2', { op: 'not', child: { op: 'between', column: ['i'], lower: 1n, upper: 2n } }],
    ['i IN (1, NULL, 2.5)', { op: 'in', column: ['i'], values: ['1', null, '2.5'] }],
    ["name NOT IN ('a', 'b')", { op: 'not', child: { op: 'in', column: ['name'], values: ['a', 'b'] } }],
    ['bin IS NULL', { op: 'isNull', column: ['bin'] }],
    ['name IS NOT NULL', { op: 'isNotNull', column: ['name'] }],
    ['i IS NOT DISTINCT FROM NULL', { op: 'eqNullSafe', column: ['i'], value: null }],
    ['i IS DISTINCT FROM 3', { op: 'not', child: { op: 'eqNullSafe', column: ['i'], value: 3n } }],
    ["name LIKE 'ab%'", { op: 'startsWith', column: ['name'], prefix: 'ab' }],
    ["name NOT LIKE 'ab%'", { op: 'not', child: { op: 'startsWith', column: ['name'], prefix: 'ab' } }],
    ["name LIKE 'ab'", { op: 'eq', column: ['name'], value: 'ab' }],
    ["name LIKE 'ab_d%'", { op: 'and', children: [{ op: 'startsWith', column: ['name'], prefix: 'ab' }, unknown] }],
    ["starts_with(name, 'a%')", { op: 'startsWith', column: ['name'], prefix: 'a%' }],
    ["name ^@ 'a'", { op: 'startsWith', column: ['name'], prefix: 'a' }],
    [`"a B"."C.d" = 'x'`, { op: 'eq', column: ['A b', 'c.d'], value: 'x' }],
    [`("a b").t = 1`, { op: 'eq', column: ['A b', 't'], value: 1n }],
    [`"a b"['T'] = 1`, { op: 'eq', column: ['A b', 't'], value: 1n }],
    ["CAST(name AS VARCHAR) = 'x'", { op: 'eq', column: ['name'], value: 'x' }],
    ['TRUE', { op: 'and', children: [] }],
    [
      "(i = 1 OR lower(name) = 'x') AND NOT i IS NULL",
      {
        op: 'and',
        children: [
          { op: 'or', children: [{ op: 'eq', column: ['i'], value: 1n }, unknown] },
          { op: 'not', child: { op: 'isNull', column: ['i'] } },
        ],
      },
    ],
  ])('%s', async (sql, expected) => {
    expect(await parse(sql)).toEqual(expected);
  });
});

describe('conditions that are not understood keep every file', () => {
  test.each([
    'i = id',
    'nowhere = 1',
    'abs(i) = 1',
    'CAST(i AS BIGINT) = 1',
    'name = 5',
    "i IN ('5.4', 5.2)",
    'i = 16777216::FLOAT',
    'flag = 1',
    "ntz = TIMESTAMPTZ '2024-01-01 00:00:00+00'",
    "day = 'infinity'",
    "day = 'tomorrow'",
    'day = current_date',
    'ts > now()',
    'ts > now() - INTERVAL 7 DAY',
    "bin = 'a'",
    'i = NULL::INTEGER',
    "name LIKE 'a!%%' ESCAPE '!'",
    "name ILIKE 'a%'",
    "name = 'x' COLLATE NOCASE",
    'i = (SELECT 1)',
    'i IN (SELECT 1)',
    'i = $1',
    'i = random()',
    '"A b" = 1',
    '1 = 1',
  ])('%s', async (sql) => {
    expect(await parse(sql)).toEqual(unknown);
  });
});

test('a name before the column is the table’s where the caller says so, else a struct’s', async () => {
  expect(await parse("t.i = '5'")).toEqual({ op: 'eq', column: ['t', 'i'], value: '5' });
  expect(await parse("T.i = '5'", 't')).toEqual({ op: 'eq', column: ['i'], value: 5n });
  expect(await parse('target.i = 5', 'target')).toEqual({ op: 'eq', column: ['i'], value: 5n });
  expect(await parse('target.i = 5')).toEqual(unknown);
});

describe('what is no condition is refused on one line', () => {
  test.each([
    '',
    'i =',
    '(i = 1',
    'i = 1)',
    'i = 1) --',
    '1=1) UNION (SELECT 2',
    'i = 1 UNION SELECT 1',
    'i = 1; SELECT 2',
    'i = 1; DROP TABLE x',
    'i = 1;',
    'i = 1 LIMIT 3',
    'i = 1 ORDER BY i',
    'i = 1 GROUP BY i',
    'i = 1 HAVING true',
    'i = 1 QUALIFY true',
    'i = 1 WINDOW w AS (PARTITION BY i)',
    'SELECT 1',
    'i, name',
    'i = 1 /*',
    'i = 1 --\0',
    '-- nothing',
    "i = 1\n) OR (name = 'x'",
  ])('%j', async (sql) => {
    await expect(parse(sql)).rejects.toMatchObject({
      code: 'INVALID_PREDICATE',
      message: expect.stringMatching(/^[^\n]+$/),
    });
  });

  test('so is a value that cannot be', async () => {
    await expect(parse("day = DATE 'tomorrow'")).rejects.toMatchObject({
      code: 'INVALID_PREDICATE',
      message: expect.stringContaining('tomorrow'),
    });
  });
});
