import { expect, test } from '@jest/globals';
import { type DataType, DeltaTable, openStore, type Row, type StructType } from '../../../lib/duckdb/delta.ts';
import { field, newPlace, rowsOf, struct } from './tables.ts';

const array = (elementType: DataType): DataType => ({ type: 'array', elementType, containsNull: true });
const map = (valueType: DataType): DataType => ({ type: 'map', keyType: 'string', valueType, valueContainsNull: true });

/** A table whose files have one schema, and whose log says another since. */
async function evolved(before: StructType, after: StructType, rows: readonly Row[]): Promise<DeltaTable> {
  const store = openStore(newPlace());
  await (await DeltaTable.create(store, { schema: before })).append({ rows });
  const metaData = {
    id: 'x',
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify(after),
    partitionColumns: [],
    configuration: {},
  };
  await store.put('_delta_log/00000000000000000002.json', new TextEncoder().encode(JSON.stringify({ metaData })));
  return DeltaTable.open(store);
}

const a = field('a', 'long');
const z = field('z', 'date');

test.each<readonly [string, StructType, StructType, Row, Row, readonly Row[]]>([
  ['a column', struct(a), struct(z, a), { a: 1n }, { z: null, a: 1n }, [{ z: '2024-01-01', a: 2n }]],
  [
    'a field of a struct',
    struct(field('s', struct(a))),
    struct(field('s', struct(z, a))),
    { s: { a: 1n } },
    { s: { z: null, a: 1n } },
    [{ s: { z: '2024-01-01', a: 2n } }],
  ],
  [
    'a field of structs in a list',
    struct(field('s', array(struct(a)))),
    struct(field('s', array(struct(z, a)))),
    { s: [{ a: 1n }, null] },
    { s: [{ z: null, a: 1n }, null] },
    [{ s: [{ z: '2024-01-01', a: 2n }] }],
  ],
  [
    'a field of structs in a map',
    struct(field('s', map(struct(a)))),
    struct(field('s', map(struct(z, a)))),
    { s: new Map([['k', { a: 1n }]]) },
    { s: new Map([['k', { z: null, a: 1n }]]) },
    [],
  ],
  [
    'a field of a struct that is NULL',
    struct(field('s', struct(a))),
    struct(field('s', struct(z, a))),
    { s: null },
    { s: null },
    [],
  ],
  ['a column without a type', struct(a), struct(a, field('v', 'void')), { a: 1n }, { a: 1n, v: null }, []],
])('where %s came later, files from before have NULL for it', async (_, before, after, row, found, later) => {
  const table = await evolved(before, after, [row]);
  expect(await rowsOf(table)).toEqual([found]);
  await table.append({ rows: later });
  expect(new Set(await rowsOf(table))).toEqual(new Set([found, ...later]));
});

test.each<readonly [string, StructType, StructType, Row, Row]>([
  [
    'fields changed places',
    struct(field('s', struct(a, field('b', 'long')))),
    struct(field('s', struct(field('b', 'long'), a))),
    { s: { a: 1n, b: 2n } },
    { s: { b: 2n, a: 1n } },
  ],
  [
    'a field is gone',
    struct(field('s', struct(a, z))),
    struct(field('s', struct(a))),
    { s: { a: 1n, z: null } },
    { s: { a: 1n } },
  ],
  [
    'names changed their case',
    struct(field('A', 'long'), field('S', struct(field('B', 'long')))),
    struct(a, field('s', struct(field('b', 'long')))),
    { A: 1n, S: { B: 2n } },
    { a: 1n, s: { b: 2n } },
  ],
  ['an integer became a long', struct(field('a', 'integer')), struct(a), { a: 7 }, { a: 7n }],
])('where %s, values are still found by their names', async (_, before, after, row, found) => {
  expect(await rowsOf(await evolved(before, after, [row]))).toEqual([found]);
});

test('a value that does not fit the type that the schema has now fails the scan, rather than being another', async () => {
  const table = await evolved(struct(a), struct(field('a', 'integer')), [{ a: 2n ** 40n }]);
  await expect(rowsOf(table)).rejects.toMatchObject({
    code: 'SCAN_FAILED',
    message: expect.stringContaining('1099511627776'),
  });
});
