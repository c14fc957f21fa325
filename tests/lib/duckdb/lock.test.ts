import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeltaTable, DuckDBEngine } from '../../../lib/duckdb/delta.ts';
import { field, newTable, struct } from './tables.ts';

let folder: string;
let engine: DuckDBEngine;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
  engine = await DuckDBEngine.open();
});

afterEach(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

/** A view over a table of two versions, of which the first is no longer live. */
async function lockedOver(place: string): Promise<{ dead: string }> {
  const table = await DeltaTable.create(place, { schema: struct(field('id', 'long')), engine });
  await table.append({ rows: [{ id: 1n }] });
  const [dead] = await table.files();
  await table.overwrite({ rows: [{ id: 2n }] });
  await engine.view(['silver', 'things'], table);
  await engine.lock();
  return { dead: join(place, dead?.path ?? '') };
}

test('a locked engine reads its views, also where the path has characters of patterns', async () => {
  const place = join(folder, 'a[1]*b');
  mkdirSync(place);
  await lockedOver(place);
  expect(await engine.rows('FROM silver.things')).toEqual([{ id: 2n }]);
});

test('a locked engine reads a view over a store that is no folder', async () => {
  const table = await newTable(struct(field('id', 'long')), { engine });
  await table.append({ rows: [{ id: 3n }] });
  await engine.view(['silver', 'things'], table);
  await engine.lock();
  expect(await engine.rows('FROM silver.things')).toEqual([{ id: 3n }]);
});

test('a locked engine reads and writes nothing else, and keeps its settings', async () => {
  const place = join(folder, 'things');
  const { dead } = await lockedOver(place);
  writeFileSync(join(folder, 'secret.txt'), 'x');
  for (const sql of [
    `FROM read_parquet('${dead}')`,
    `FROM '${dead}'`,
    `FROM read_text('${folder}/secret.txt')`,
    `FROM read_csv('${place}/_delta_log/00000000000000000000.json')`,
    `FROM glob('${folder}/*')`,
    `COPY (SELECT 1) TO '${folder}/out.csv'`,
    `ATTACH '${folder}/other.db'`,
    `EXPORT DATABASE '${folder}/export'`,
    "SET memory_limit = '1TB'",
    'SET enable_external_access = true',
    'RESET lock_configuration',
    'INSTALL httpfs',
    'CREATE PERSISTENT SECRET s (TYPE S3)',
  ]) {
    await expect(engine.run(sql).then(() => `${sql} went through`)).rejects.toMatchObject({ name: 'LakeletError' });
  }
});
