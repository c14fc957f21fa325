import { expect, test } from '@jest/globals';
import { DeltaTable, openStore } from '../../../lib/duckdb/delta.ts';
import { field, newPlace, newTable, rowsOf, struct } from './tables.ts';

/** The statistics of one file with these values in a column `c`, as text as the log has it. */
async function statsOf(type: string, values: readonly unknown[]): Promise<string> {
  const place = newPlace();
  const table = await DeltaTable.create(place, { schema: struct(field('c', type)) });
  await table.append({ rows: values.map((c) => ({ c })) });
  const commit = new TextDecoder().decode(await openStore(place).get('_delta_log/00000000000000000001.json'));
  const line = commit.split('\n').find((text) => text.includes('"add"')) ?? '';
  return JSON.parse(line).add.stats;
}

test.each([
  ['string', ['b', '', 'é', null], '""', '"é"', 1],
  ['long', [9007199254740993n, -9223372036854775808n], '-9223372036854775808', '9007199254740993', 0],
  ['integer', [-5, 3, null, null], '-5', '3', 2],
  ['short', [7], '7', '7', 0],
  ['byte', [-128, 127], '-128', '127', 0],
  ['double', [-0.5, 1e300], '-0.5', '1e+300', 0],
  ['float', [Math.fround(0.1), -1], '-1', '0.10000000149011612', 0],
  ['boolean', [true, false], 'false', 'true', 0],
  ['date', ['1969-12-31', '2024-02-29'], '"1969-12-31"', '"2024-02-29"', 0],
  [
    'timestamp',
    ['1969-12-31T23:59:59.999999Z', '2024-02-29T00:00:00Z'],
    '"1969-12-31T23:59:59.999999Z"',
    '"2024-02-29T00:00:00Z"',
    0,
  ],
  ['timestamp_ntz', ['1969-12-31T23:59:59.999999'], '"1969-12-31T23:59:59.999999"', '"1969-12-31T23:59:59.999999"', 0],
  [
    'decimal(38,10)',
    ['1234567890123456789012345678.0123456789', '-0.0000000001'],
    '-0.0000000001',
    '1234567890123456789012345678.0123456789',
    0,
  ],
  ['decimal(3,3)', ['-0.5', '0.001', null], '-0.500', '0.001', 1],
])('of a %s are exactly those of its values', async (type, values, min, max, nulls) => {
  expect(await statsOf(type, values)).toBe(
    `{"numRecords":${values.length},"minValues":{"c":${min}},"maxValues":{"c":${max}},"nullCount":{"c":${nulls}}}`,
  );
});

test.each([
  ['double', [1, Number.NaN]],
  ['double', [1, Infinity]],
  ['float', [-Infinity]],
  ['binary', [Uint8Array.of(1)]],
  ['string', [null, null]],
  ['double', [null]],
])('of a %s with %p have no bounds, which JSON or the protocol could not hold', async (type, values) => {
  const nulls = values.filter((value) => value === null).length;
  expect(await statsOf(type, values)).toBe(
    `{"numRecords":${values.length},"minValues":{},"maxValues":{},"nullCount":{"c":${nulls}}}`,
  );
});

test('of long strings are cut, the greatest so that it is still above all', async () => {
  const x = 'x'.repeat(255);
  expect(JSON.parse(await statsOf('string', [`${x}xab`, `${x}xxx`]))).toMatchObject({
    minValues: { c: `${x}x` },
    maxValues: { c: `${x}y` },
  });
});

test('go down into structs, and to as many columns as the table says', async () => {
  const schema = struct(
    field('a', struct(field('x', 'long'), field('y', struct(field('z', 'string'))))),
    field('b', 'long'),
    field('c', 'long'),
  );
  const rows = [{ a: { x: 1n, y: { z: 'q' } }, b: 2n, c: 3n }];
  const bounds = async (properties: Record<string, string>) => {
    const table = await newTable(schema, { properties });
    await table.append({ rows });
    return (await table.files())[0]?.stats?.minValues;
  };
  expect(await bounds({})).toEqual({ a: { x: 1, y: { z: 'q' } }, b: 2, c: 3 });
  expect(await bounds({ 'delta.dataSkippingNumIndexedCols': '2' })).toEqual({ a: { x: 1, y: { z: 'q' } } });
  expect(await bounds({ 'delta.dataSkippingNumIndexedCols': '0' })).toEqual({});
  expect(await bounds({ 'delta.dataSkippingStatsColumns': 'c,a.y' })).toEqual({ a: { y: { z: 'q' } }, c: 3 });
});

test('spare a condition the files that it can not match, and no row', async () => {
  const table = await newTable(struct(field('n', 'long'), field('when', 'timestamp'), field('s', 'string')));
  for (let part = 0; part < 5; part++) {
    await table.append({
      sql: `SELECT range AS n, TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_days(range::INTEGER) AS "when", 'k' || (range // 100) AS s FROM range(${part * 100}, ${part * 100 + 100})`,
    });
  }
  const cases: readonly (readonly [string, number, number])[] = [
    ['n = 250', 1, 1],
    ['n BETWEEN 150 AND 250', 2, 101],
    ["s = 'k3' AND n % 2 = 0", 1, 50],
    ["s LIKE 'k4%'", 1, 100],
    ['"when" < DATE \'2024-01-02\'', 1, 1],
    ['n IN (5, 405)', 2, 2],
    ['n IS NULL', 0, 0],
    ['n > 1e9', 0, 0],
    ['NOT n < 400', 1, 100],
    ['random() < 2', 5, 500],
    ['true', 5, 500],
    ['NULL', 0, 0],
  ];
  for (const [where, files, rows] of cases) {
    expect([where, (await table.files({ where })).length]).toEqual([where, expect.any(Number)]);
    expect([where, (await rowsOf(table, { where })).length]).toEqual([where, rows]);
    if (where !== 'NULL') expect([where, (await table.files({ where })).length]).toEqual([where, files]);
  }
});

test.each([
  ['n =', /syntax error/],
  ['nowhere = 1', /nowhere/],
  ['n = 1; DROP TABLE x', /./],
  ['1) OR (1 = 1', /./],
  ['n = 1 ORDER BY n', /./],
  ["n = 'x'", /./],
  ['', /./],
  ['n = 1 -- ends', undefined],
])('a condition %j is either used or refused', async (where, message) => {
  const table = await newTable(struct(field('n', 'long')));
  await table.append({ rows: [{ n: 1n }, { n: 2n }] });
  if (message === undefined) expect(await rowsOf(table, { where })).toEqual([{ n: 1n }]);
  else
    await expect(rowsOf(table, { where })).rejects.toMatchObject({
      name: 'LakeletError',
      message: expect.stringMatching(message),
    });
});

test('a column to read must be there', async () => {
  const table = await newTable(struct(field('n', 'long')));
  await expect(rowsOf(table, { columns: ['m'] })).rejects.toMatchObject({
    code: 'COLUMN_NOT_FOUND',
    message: expect.stringContaining('it has n'),
  });
  await expect(rowsOf(table, { columns: [] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
