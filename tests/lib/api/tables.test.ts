import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DeltaTable } from '../../../lib/duckdb/delta.ts';
import { apiLake } from './lake.ts';

const lake = apiLake();
const NUMBERS = { type: 'struct' as const, fields: [{ name: 'n', type: 'long', nullable: true, metadata: {} }] };

/** A table of several files, with the numbers from 0. */
async function numbers(name: string, rows: number, files: number) {
  const table = await DeltaTable.create(lake().lake.at(`extra/${name}`), { schema: NUMBERS });
  const each = rows / files;
  for (let at = 0; at < files; at++)
    await table.append({ sql: `SELECT range AS n FROM range(${at * each}, ${(at + 1) * each})` });
  return table;
}

describe('GET /tables', () => {
  test('tells layer, name, version, rows and bytes of every table', async () => {
    const { status, body } = await lake().get('/tables');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      tables: expect.arrayContaining([
        { layer: 'bronze', name: 'purchases', version: 1, rows: 2000, bytes: expect.any(Number) },
        { layer: 'ops', name: 'runs', version: 3, rows: expect.any(Number), bytes: expect.any(Number) },
      ]),
    });
  });

  test('shows the others where one can not be read', async () => {
    const table = await DeltaTable.create(lake().lake.at('extra/broken'), { schema: NUMBERS });
    const log = join(lake().config.lakeUri, 'extra/broken/_delta_log', '00000000000000000000.json');
    writeFileSync(log, 'no json');
    const { status, body } = await lake().get('/tables');
    rmSync(join(lake().config.lakeUri, 'extra/broken'), { recursive: true });
    expect(table.version).toBe(0);
    expect(status).toBe(200);
    const { tables } = body as { tables: { name: string }[] };
    expect(tables.length).toBeGreaterThan(7);
    expect(tables.find(({ name }) => name === 'broken')).toMatchObject({
      version: null,
      error: { code: 'LOG_CORRUPT' },
    });
    expect(JSON.stringify(body)).not.toContain(lake().folder);
  });
});

describe('GET /tables/{layer}/{name}', () => {
  test('tells schema, version, history and rows', async () => {
    expect(await lake().get('/tables/gold/purchases_by_category?limit=2')).toMatchObject({
      status: 200,
      body: {
        layer: 'gold',
        name: 'purchases_by_category',
        version: 1,
        schema: { type: 'struct', fields: expect.arrayContaining([expect.objectContaining({ name: 'revenue' })]) },
        history: [
          { version: 1, operation: 'WRITE' },
          { version: 0, operation: 'CREATE TABLE' },
        ],
        rows: [{ revenue: expect.any(Number) }, { revenue: expect.any(Number) }],
        nextOffset: 2,
      },
    });
  });

  test('pages through all rows once, at one version, while others write', async () => {
    const table = await numbers('pages', 2500, 5);
    const seen: unknown[] = [];
    let offset: number | null = 0;
    let version = '';
    while (offset !== null) {
      const { body } = await lake().get(`/tables/extra/pages?limit=400&offset=${offset}${version}`);
      const page = body as { version: number; rows: { n: number }[]; nextOffset: number | null };
      seen.push(...page.rows.map(({ n }) => n));
      version = `&version=${page.version}`;
      offset = page.nextOffset;
      await table.append({ rows: [{ n: -1n }] });
    }
    expect(seen.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 2500 }, (_, n) => n));
  });

  test('cuts a page whose rows are too large, and goes on from there', async () => {
    const schema = { type: 'struct' as const, fields: [{ name: 't', type: 'string', nullable: true, metadata: {} }] };
    const table = await DeltaTable.create(lake().lake.at('extra/wide'), { schema });
    await table.append({ sql: "SELECT repeat('x', 1500000) AS t FROM range(3)" });
    expect(await lake().get('/tables/extra/wide')).toMatchObject({ body: { nextOffset: 2 } });
    expect(await lake().get('/tables/extra/wide?offset=2')).toMatchObject({ body: { nextOffset: null } });
    await table.overwrite({ sql: "SELECT repeat('x', 5000000) AS t" });
    expect(await lake().get('/tables/extra/wide')).toMatchObject({
      status: 422,
      body: { error: { code: 'ROW_TOO_LARGE' } },
    });
  });

  test('reads an older version, and a name that has to be encoded', async () => {
    await numbers('größe 2', 10, 1);
    const path = `/tables/extra/${encodeURIComponent('größe 2')}`;
    expect(await lake().get(path)).toMatchObject({ body: { version: 1, rows: { length: 10 } } });
    expect(await lake().get(`${path}?version=0`)).toMatchObject({ body: { version: 0, rows: [], nextOffset: null } });
  });

  test.each([
    ['/tables/silver/nope', 404, 'TABLE_NOT_FOUND'],
    ['/tables/silver/purchases?version=9', 404, 'VERSION_NOT_FOUND'],
    ['/tables/silver/purchases?limit=0', 400, 'REQUEST_INVALID'],
    ['/tables/silver/purchases?limit=1001', 400, 'REQUEST_INVALID'],
    ['/tables/silver/purchases?limit=1e3', 400, 'REQUEST_INVALID'],
    ['/tables/silver/purchases?offset=-1', 400, 'REQUEST_INVALID'],
    ['/tables/silver/purchases?version=1.5', 400, 'REQUEST_INVALID'],
    ['/tables/silver/-x', 400, 'REQUEST_INVALID'],
    ['/tables/silver/a%c2%a0', 400, 'REQUEST_INVALID'],
    ['/tables/silver/a%1b', 400, 'REQUEST_INVALID'],
    ['/tables/silver/%f0%9f%92%a7', 404, 'TABLE_NOT_FOUND'],
    ['/tables/silver/purchases?lim=1', 400, 'REQUEST_INVALID'],
    ['/tables/..%2f..%2fetc/passwd', 400, 'REQUEST_INVALID'],
    ['/tables/silver/..%5c..%5cx', 400, 'REQUEST_INVALID'],
    ['/tables/.lakelet/mlflow', 400, 'REQUEST_INVALID'],
    ['/tables/silver/purchases%00', 400, 'REQUEST_INVALID'],
    ['/tables/silver/%ff', 400, 'REQUEST_INVALID'],
    ['/tables/silver/a%0ab', 400, 'REQUEST_INVALID'],
    ['/tables/silver/_delta_log', 404, 'TABLE_NOT_FOUND'],
    ['/tables/silver', 404, 'NOT_FOUND'],
  ])('%s is answered with %i', async (path, status, code) => {
    const answer = await lake().get(path);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(JSON.stringify(answer.body)).not.toContain(lake().folder);
  });
});
