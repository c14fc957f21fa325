import { expect, test } from '@jest/globals';
import { type DataType, DeltaTable, type ObjectStore, openStore, type StructField } from '../../../lib/duckdb/delta.ts';
import { field, newPlace, rowsOf, struct } from './tables.ts';

/** The field under another name for users, whose data files go on to call it as before. */
function mapped(name: string, { name: physical, type }: StructField, id: number, to: DataType = type): StructField {
  const metadata = { 'delta.columnMapping.physicalName': physical, 'delta.columnMapping.id': id };
  return { name, type: to, nullable: true, metadata };
}

const FILES = struct(
  field('c1', 'long'),
  field(
    'c2',
    struct(
      field('c3', 'string'),
      field('c4', { type: 'array', elementType: struct(field('c5', 'date')), containsNull: true }),
    ),
  ),
  field('c6', { type: 'map', keyType: 'string', valueType: struct(field('c7', 'long')), valueContainsNull: true }),
  field('c8', 'string'),
);

/** The same columns by new names, of which two have changed places with each other. */
function logical(): StructField[] {
  const [c1, c2, c6, c8] = FILES.fields;
  if (c1 === undefined || c2 === undefined || c6 === undefined || c8 === undefined) throw new Error('no such field');
  const days: DataType = {
    type: 'array',
    elementType: struct(mapped('day', field('c5', 'date'), 5)),
    containsNull: true,
  };
  const inner = struct(mapped('c4', field('c3', 'string'), 3), mapped('days', field('c4', days), 4, days));
  const counts: DataType = {
    type: 'map',
    keyType: 'string',
    valueType: struct(mapped('a b', field('c7', 'long'), 7)),
    valueContainsNull: true,
  };
  return [mapped('c8', c1, 1), mapped('nest', c2, 2, inner), mapped('counts', c6, 6, counts), mapped('c1', c8, 8)];
}

async function remapped(mode: string, fields: readonly StructField[]): Promise<ObjectStore> {
  const store = openStore(newPlace());
  const table = await DeltaTable.create(store, { schema: FILES, partitionBy: ['c8'] });
  const row = {
    c2: { c3: 'x', c4: [{ c5: '2024-01-01' }, null] },
    c6: new Map([
      ['k', { c7: 7n }],
      ['l', null],
    ]),
  };
  await table.append({
    rows: [
      { c1: 1n, ...row, c8: 'p' },
      { c1: 2n, c2: null, c6: null, c8: null },
    ],
  });
  const metaData = {
    id: 'x',
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify({ type: 'struct', fields }),
    partitionColumns: ['c1'],
    configuration: { 'delta.columnMapping.mode': mode },
  };
  const lines = [{ protocol: { minReaderVersion: 2, minWriterVersion: 5 } }, { metaData }].map((action) =>
    JSON.stringify(action),
  );
  await store.put('_delta_log/00000000000000000002.json', new TextEncoder().encode(lines.join('\n')));
  return store;
}

test('columns are read by their physical names, also inside of structs, lists and maps', async () => {
  const table = await DeltaTable.open(await remapped('name', logical()));
  const first = {
    c8: 1n,
    nest: { c4: 'x', days: [{ day: '2024-01-01' }, null] },
    counts: new Map([
      ['k', { 'a b': 7n }],
      ['l', null],
    ]),
    c1: 'p',
  };
  expect(await rowsOf(table, { where: "c1 = 'p'" })).toEqual([first]);
  expect(await rowsOf(table, { where: 'c8 = 2' })).toEqual([{ c8: 2n, nest: null, counts: null, c1: null }]);
  expect(await rowsOf(table, { where: "nest.c4 = 'x'", columns: ['c1', 'C8'] })).toEqual([{ c1: 'p', c8: 1n }]);
  expect((await table.files({ where: 'c8 = 2' })).map(({ partitionValues }) => partitionValues)).toEqual([
    { c1: null },
  ]);
  expect(await table.files({ where: 'c1 IS NULL' })).toHaveLength(1);
});

test('files whose columns have no id are not read by id', async () => {
  const table = await DeltaTable.open(await remapped('id', logical()));
  await expect(rowsOf(table)).rejects.toMatchObject({
    code: 'UNSUPPORTED_FEATURE',
    message: expect.stringContaining('by id'),
  });
});

test('a mode that is not known, and a column without its physical name, are refused', async () => {
  await expect(DeltaTable.open(await remapped('sound', logical()))).rejects.toMatchObject({
    code: 'UNSUPPORTED_FEATURE',
    message: expect.stringContaining('by sound'),
  });
  const fields = logical().map((each) => ({ ...each, metadata: {} }));
  await expect(DeltaTable.open(await remapped('name', fields))).rejects.toMatchObject({
    code: 'LOG_CORRUPT',
    message: expect.stringContaining('physical name'),
  });
});

test('nothing is written to a table that maps its columns', async () => {
  const table = await DeltaTable.open(await remapped('name', logical()));
  await expect(table.append({ rows: [] })).rejects.toMatchObject({
    code: 'UNSUPPORTED_FEATURE',
    message: expect.stringContaining('columnMapping'),
  });
});
