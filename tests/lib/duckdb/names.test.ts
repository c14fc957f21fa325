import { expect, test } from '@jest/globals';
import { DeltaTable } from '../../../lib/duckdb/delta.ts';
import { field, newPlace, rowsOf, struct } from './tables.ts';

const ODD = [
  'quote"d',
  "apostrophe'd",
  'with space',
  'dotted.name',
  'semi;colon--',
  'back\\slash',
  'brackets[*]?',
  '%s=1/2',
  'ünïcode 😀',
  '__proto__',
  'constructor',
  'file_index',
  'filename',
  'file_row_number',
  'stub',
  'source',
  '__lakelet_partition',
  'rowid',
  'select',
  ' ',
];

test.each(ODD)('a column called %j is written, skipped by and read', async (name) => {
  const place = newPlace();
  const schema = struct(field(name, 'long'), field('other', 'string'));
  const table = await DeltaTable.create(place, { schema });
  const rows = [1n, 2n, null].map((value) =>
    Object.fromEntries([
      ['other', 'x'],
      [name, value],
    ]),
  );
  await table.append({ rows: rows.slice(0, 1) });
  await table.append({ rows: rows.slice(1) });
  await table.checkpoint();
  const read = await DeltaTable.open(place);
  const found = await rowsOf(read);
  expect(found.map((row) => Object.entries(row).sort()).sort()).toEqual(
    rows.map((row) => Object.entries(row).sort()).sort(),
  );
  const where = `"${name.replaceAll('"', '""')}" = 1`;
  expect(await rowsOf(read, { where, columns: [name] })).toEqual([Object.fromEntries([[name, 1n]])]);
  expect(await read.files({ where })).toHaveLength(1);
});

test.each(ODD)('a table can be partitioned by a column called %j', async (name) => {
  const place = newPlace();
  const schema = struct(field('file_index', 'long'), field(name === 'file_index' ? 'p' : name, 'string'));
  const column = schema.fields[1]?.name ?? '';
  const table = await DeltaTable.create(place, { schema, partitionBy: [column] });
  await table.append({
    rows: ['a', 'b', null].map((value) =>
      Object.fromEntries([
        ['file_index', 7n],
        [column, value],
      ]),
    ),
  });
  await table.checkpoint();
  const found = await rowsOf(await DeltaTable.open(place));
  expect(found.map((row) => Object.getOwnPropertyDescriptor(row, column)?.value).sort()).toEqual(
    ['a', 'b', null].sort(),
  );
  expect(found.map((row) => row.file_index)).toEqual([7n, 7n, 7n]);
});

test('columns are found whatever their case, and keep the spelling of the table', async () => {
  const table = await DeltaTable.create(newPlace(), {
    schema: struct(field('CamelCase', 'long'), field('b', 'string')),
  });
  await table.append({ rows: [{ camelcase: 1n, B: 'x' }] });
  await table.append({ sql: "SELECT 2 AS CAMELCASE, 'y' AS b" });
  expect((await rowsOf(table, { columns: ['camelCASE'] })).map(Object.entries).sort()).toEqual([
    [['CamelCase', 1n]],
    [['CamelCase', 2n]],
  ]);
});
