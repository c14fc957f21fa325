// Tables that Spark, delta-rs and others wrote: each is read to the value, or refused by the name of what it needs.

import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DeltaTable, type DeltaTable as Table } from '../../../lib/duckdb/delta.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/delta');
const EXPECTED: Record<string, Record<string, unknown[]>> = JSON.parse(
  readFileSync(join(FOLDER, 'expected.json'), 'utf8'),
);

/** In JSON's form, with the names of structs in order, so that rows can be compared and sorted. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value].map(([key, inner]) => [plain(key), plain(inner)]);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]): [string, unknown] => [name, plain(inner)])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(plain(row))).sort();

async function rowsOf(table: Table): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const batch of table.scan()) rows.push(...batch);
  return rows;
}

const CASES = Object.entries(EXPECTED).flatMap(([name, versions]) =>
  Object.entries(versions).map(([version, rows]) => [name, version, rows] as const),
);

test.each(CASES)('%s at version %s holds the rows that its own kind of reader finds', async (name, version, rows) => {
  const options = version === 'newest' ? {} : { version: Number(version) };
  const table = await DeltaTable.open(join(FOLDER, name), options);
  expect(sorted(await rowsOf(table))).toEqual(sorted(rows));
});

test.each([
  ['a[b]c', 'a*c'],
  ['a?c', '**'],
])('a folder called %s beside one called %s is read alone', async (first, second) => {
  const folder = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
  try {
    for (const name of [first, second, 'abc', 'b']) {
      cpSync(join(FOLDER, 'schema-change'), join(folder, name), { recursive: true });
    }
    for (const name of [first, second]) {
      const table = await DeltaTable.open(join(folder, name));
      expect(await rowsOf(table)).toHaveLength(EXPECTED['schema-change']?.['1']?.length ?? 0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['deletion-vectors', 'the table feature deletionVectors'],
  ['type-widening', 'the table feature typeWidening-preview'],
  ['variant', 'the table feature variantType'],
  ['geospatial', 'the table feature geospatial'],
  ['catalog-owned', 'the table feature catalogOwned'],
  ['reader-version', 'reader version 5'],
])('a table with %s is refused, because it needs %s', async (name, what) => {
  await expect(DeltaTable.open(join(FOLDER, 'refused', name))).rejects.toMatchObject({
    code: 'UNSUPPORTED_FEATURE',
    message: expect.stringContaining(`needs ${what}`),
  });
});
