import { expect, test } from '@jest/globals';
import {
  type CreateOptions,
  DeltaTable,
  type OpenOptions,
  type ScanOptions,
  type WriteOptions,
} from '../../../lib/duckdb/delta.ts';
import { field, newPlace, newTable, rowsOf, struct } from './tables.ts';

const SCHEMA = struct(field('a', 'long'), field('b', 'string'));
const circle: Record<string, unknown> = {};
circle.self = circle;

test.each([null, 7, { version: '1' }, { version: -1 }, { timestamp: 5 }, { timestamp: {} }, { timestamp: 'soon' }])(
  'open refuses %j',
  async (options) => {
    const { uri } = await newTable(SCHEMA);
    await expect(DeltaTable.open(uri, options as unknown as OpenOptions)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  },
);

test.each([undefined, null, 7, {}, [], ''])('%j is no place', async (place) => {
  await expect(DeltaTable.open(place as unknown as string)).rejects.toMatchObject({ code: 'INVALID_URI' });
  await expect(DeltaTable.exists(place as unknown as string)).rejects.toMatchObject({ code: 'INVALID_URI' });
});

test.each([{ partitionBy: 'a' }, { partitionBy: [1] }, { properties: { a: 1 } }, { properties: 'x' }])(
  'create refuses %j, and makes no table',
  async (options) => {
    const place = newPlace();
    await expect(
      DeltaTable.create(place, { schema: SCHEMA, ...options } as unknown as CreateOptions),
    ).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(await DeltaTable.exists(place)).toBe(false);
  },
);

test.each([{ where: 5 }, { columns: 'a' }, { columns: [5] }, { columns: [] }, { signal: {} }, null])(
  'scan refuses %j',
  async (options) => {
    const table = await newTable(SCHEMA);
    await expect(rowsOf(table, options as unknown as ScanOptions)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  },
);

test.each<readonly [string, unknown]>([
  ['a txn without a name', { txn: {} }],
  ['a txn with a number as name', { txn: { appId: 5 } }],
  ['a txn with an empty name', { txn: { appId: '' } }],
  ['a txn with half a version', { txn: { appId: 'x', version: 1.5 } }],
  ['a txn with a bigint as version', { txn: { appId: 'x', version: 1n } }],
  ['commitInfo with a bigint', { commitInfo: { x: 1n } }],
  ['commitInfo with a circle', { commitInfo: circle }],
  ['commitInfo that is text', { commitInfo: 'me' }],
  ['a signal that is none', { signal: 'stop' }],
  ['no object', 7],
])('a write refuses %s, and the table stays readable', async (_, options) => {
  const table = await newTable(SCHEMA);
  await expect(table.append({ rows: [{ a: 1n }] }, options as WriteOptions)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  });
  expect((await DeltaTable.open(table.uri)).version).toBe(0);
  await expect(table.history({ limit: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
