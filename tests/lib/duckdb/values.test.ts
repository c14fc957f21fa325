import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type DataType, DeltaTable, DuckDBEngine, type Source } from '../../../lib/duckdb/delta.ts';
import { field, newPlace, rowsOf, struct } from './tables.ts';

const array = (elementType: DataType): DataType => ({ type: 'array', elementType, containsNull: true });
const map = (keyType: DataType, valueType: DataType): DataType => ({
  type: 'map',
  keyType,
  valueType,
  valueContainsNull: true,
});
const bytes = (...values: number[]) => Uint8Array.from(values);

const VALUES: readonly (readonly [string, DataType, readonly unknown[]])[] = [
  ['string', 'string', ['a', '', 'é😀', 'x/y=%20 z\n\u0001', '\u{10ffff}', 'a\0b', `q'"\``]],
  ['long', 'long', [0n, 9007199254740993n, -9223372036854775808n, 9223372036854775807n]],
  ['integer', 'integer', [0, -2147483648, 2147483647]],
  ['short', 'short', [0, -32768, 32767]],
  ['byte', 'byte', [0, -128, 127]],
  ['float', 'float', [0, Math.fround(0.1), 3.4028234663852886e38, 1.401298464324817e-45, Infinity, -Infinity, NaN]],
  ['double', 'double', [-0, 0.1, 1.7976931348623157e308, 5e-324, Infinity, -Infinity, NaN]],
  ['boolean', 'boolean', [true, false]],
  ['binary', 'binary', [bytes(0, 255, 65), bytes()]],
  ['date', 'date', ['2024-02-29', '1969-12-31', '0001-01-01', '9999-12-31', '1582-10-10']],
  [
    'timestamp',
    'timestamp',
    ['1969-12-31T23:59:59.999999Z', '2024-02-29T12:34:56.000001Z', '0001-01-01T00:00:00.000000Z'],
  ],
  ['timestamp_ntz', 'timestamp_ntz', ['1969-12-31T23:59:59.999999', '9999-12-31T23:59:59.999999']],
  ['decimal(38,10)', 'decimal(38,10)', ['1234567890123456789012345678.0123456789', '-0.0000000001', '0.0000000000']],
  ['decimal(38,38)', 'decimal(38,38)', ['0.12345678901234567890123456789012345678']],
  ['decimal(5,2)', 'decimal(5,2)', ['-999.99', '0.01']],
  ['array', array('long'), [[9007199254740993n, null], []]],
  [
    'map',
    map('string', 'decimal(10,2)'),
    [
      new Map([
        ['a', '1.00'],
        ['', null],
      ]),
      new Map(),
    ],
  ],
  [
    'struct in arrays in a map',
    map('integer', array(struct(field('at', 'timestamp'), field('b.c', 'string')))),
    [new Map([[1, [{ at: '2024-01-01T00:00:00.000000Z', 'b.c': 'x' }, { at: null, 'b.c': null }, null]]])],
  ],
];

let engine: DuckDBEngine;
let folder: string;

beforeAll(async () => {
  engine = await DuckDBEngine.open();
  folder = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
});

afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

/** The same rows as each kind of source. */
async function sourcesOf(rows: readonly object[], schema: ReturnType<typeof struct>): Promise<Source[]> {
  const table = await DeltaTable.create(newPlace(), { schema, engine });
  await table.append({ rows });
  await engine.view('given', table);
  const parquet = join(folder, `[1]*.parquet`);
  await engine.run(`COPY given TO '${parquet.replaceAll("'", "''")}'`);
  return [{ rows }, { sql: 'SELECT * FROM given; -- done' }, { parquet }];
}

test.each(VALUES)('%s comes back as it went in, from row objects, SQL and Parquet', async (_, type, values) => {
  const schema = struct(field('n', 'integer'), field('value', type), field('inner', struct(field('value', type))));
  const rows = [...values, null].map((value, n) => ({ n, value, inner: { value } }));
  for (const source of await sourcesOf(rows, schema)) {
    const table = await DeltaTable.create(newPlace(), { schema, engine });
    await table.append(source);
    const found = await rowsOf(table);
    expect(found.toSorted((a, b) => Number(a.n) - Number(b.n))).toEqual(rows);
  }
});

test.each(VALUES.filter(([, type, [first]]) => typeof type === 'string' && !(first instanceof Uint8Array)))(
  '%s comes back from partitions as it went in',
  async (_, type, values) => {
    const schema = struct(field('n', 'integer'), field('value', type));
    // A partition's empty string is NULL, and zero has no sign.
    const kept = values.filter((value) => value !== '').map((value) => (value === 0 ? 0 : value));
    const rows = [...kept, null].map((value, n) => ({ n, value }));
    for (const source of await sourcesOf(rows, schema)) {
      const place = newPlace();
      const table = await DeltaTable.create(place, { schema, engine, partitionBy: ['value'] });
      await table.append(source);
      await table.checkpoint();
      expect(table.version).toBe(1);
      const read = await DeltaTable.open(place, { engine });
      expect(await read.files()).toHaveLength(rows.length);
      const found = await rowsOf(read);
      expect(found.toSorted((a, b) => Number(a.n) - Number(b.n))).toEqual(rows);
    }
  },
);

test.each([
  ['long', 1.5, '1.5 (number)'],
  ['long', 2 ** 53, '9007199254740992 (number)'],
  ['long', 9223372036854775808n, '9223372036854775808n (bigint)'],
  ['integer', 2147483648, '2147483648 (number)'],
  ['byte', '1', '"1" (string)'],
  ['string', 1, '1 (number)'],
  ['boolean', 'true', '"true" (string)'],
  ['date', '2024-02-30', '"2024-02-30" (string)'],
  ['date', new Date(1), '(object)'],
  ['timestamp', 'yesterday', '"yesterday" (string)'],
  ['timestamp', new Date(Number.NaN), 'Invalid Date (object)'],
  ['timestamp', '2024-01-01T00:00:00.1234567Z', '(string)'],
  ['timestamp_ntz', '2024-01-01T00:00:00Z', '(string)'],
  ['decimal(5,2)', '0.001', '"0.001" (string)'],
  ['decimal(5,2)', '1000', '"1000" (string)'],
  ['decimal(5,2)', 0.5, '0.5 (number)'],
  ['binary', 'a', '"a" (string)'],
  [array('integer'), 'a', '"a" (string)'],
  [struct(field('a', 'integer')), { b: 1 }, '[object Object] (object)'],
  [map('string', 'integer'), [1], '1 (object)'],
])('a %j refuses what it can not hold: %p', async (type, value, shown) => {
  const table = await DeltaTable.create(newPlace(), { schema: struct(field('c', type)), engine });
  await expect(table.append({ rows: [{ c: null }, { c: value }] })).rejects.toMatchObject({
    code: 'INVALID_VALUE',
    message: expect.stringContaining(shown),
  });
  expect((await DeltaTable.open(table.uri, { engine })).version).toBe(0);
});
