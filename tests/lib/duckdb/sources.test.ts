import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type DataType, DeltaTable, DuckDBEngine, type Source } from '../../../lib/duckdb/delta.ts';
import { field, newTable, rowsOf, struct } from './tables.ts';

const SCHEMA = struct(field('id', 'long', false), field('name', 'string'), field('price', 'decimal(10,2)'));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('columns are matched by name, and those that the source has not are NULL', async () => {
  const table = await newTable(SCHEMA);
  await table.append({ sql: "SELECT 'x' AS name, 1::UTINYINT AS id" });
  await table.append({ rows: [{ price: 2, id: 2n }] });
  expect(await rowsOf(table, { where: 'id = 1' })).toEqual([{ id: 1n, name: 'x', price: null }]);
  expect(await rowsOf(table, { where: 'id = 2' })).toEqual([{ id: 2n, name: null, price: '2.00' }]);
});

test('rows lie in the order of the source, over many row groups', async () => {
  const engine = await DuckDBEngine.open({ threads: 4 });
  const table = await DeltaTable.create(folder, { schema: SCHEMA, engine });
  const sql = 'SELECT range AS id, md5(range::VARCHAR) AS name FROM range(1_000_000) ORDER BY hash(range), range';
  await table.append({ sql });
  const paths = (await table.files()).map(({ path }) => join(folder, path));
  expect(paths).toHaveLength(1);
  const [found] = await engine.rows(`SELECT count(*) AS out_of_order FROM (
    SELECT (hash(id), id) < lag((hash(id), id)) OVER (ORDER BY file_row_number) AS wrong
    FROM read_parquet('${paths[0]}', file_row_number = true)) WHERE wrong`);
  expect(found).toEqual({ out_of_order: 0n });
  engine.close();
});

test.each<readonly [string, Source, string, RegExp]>([
  [
    'a column that the table has not',
    { sql: 'SELECT 1 AS id, 2 AS colour' },
    'SCHEMA_MISMATCH',
    /colour is none of the table's \(id, name, price\)/,
  ],
  ['a field that the table has not', { rows: [{ id: 1n, colour: 2 }] }, 'SCHEMA_MISMATCH', /Row 1.*colour/],
  [
    'a type that does not fit',
    { sql: "SELECT '1' AS id" },
    'SCHEMA_MISMATCH',
    /id is of type VARCHAR, the table's of BIGINT: cast it/,
  ],
  [
    'more digits after the point',
    { sql: 'SELECT 1 AS id, 1.123 AS price' },
    'SCHEMA_MISMATCH',
    /price is of type DECIMAL\(4,3\)/,
  ],
  ['a double in a long', { sql: 'SELECT 1e0 AS id' }, 'SCHEMA_MISMATCH', /DOUBLE/],
  ['one column twice, by case', { sql: 'SELECT 1 AS id, 2 AS "ID"' }, 'SCHEMA_MISMATCH', /./],
  ['NULL in a column that allows none', { sql: 'SELECT NULL AS id' }, 'NOT_NULL_VIOLATED', /NULL for id/],
  ['a row without such a column', { rows: [{ id: 1n }, { name: 'x' }] }, 'NOT_NULL_VIOLATED', /NULL for id/],
  ['a whole number out of range', { sql: 'SELECT 9223372036854775808 AS id' }, 'WRITE_FAILED', /9223372036854775808/],
  ['SQL that is none', { sql: 'SELECT FROM WHERE' }, 'INVALID_SOURCE', /syntax error/i],
  ['SQL over a table that is not there', { sql: 'FROM nowhere' }, 'INVALID_SOURCE', /nowhere/],
  [
    'SQL that fails on the way',
    { sql: "SELECT if(range = 9999, error('broken')::BIGINT, range) AS id FROM range(10000)" },
    'WRITE_FAILED',
    /broken/,
  ],
  ['a statement that is no SELECT', { sql: 'CREATE TABLE made (a INTEGER)' }, 'INVALID_SOURCE', /./],
  ['two statements', { sql: 'SELECT 1 AS id; SELECT 2 AS id' }, 'INVALID_SOURCE', /./],
  ['SQL that closes what is put around it', { sql: 'SELECT 1 AS id) --' }, 'INVALID_SOURCE', /./],
  ['a Parquet file that is not there', { parquet: '/nowhere/at/all.parquet' }, 'FILE_MISSING', /all\.parquet/],
  [
    'rows that are no objects',
    { rows: [{ id: 1n }, null as unknown as object] },
    'INVALID_VALUE',
    /Row 2 of the source is no object/,
  ],
  ['rows that are lists', { rows: [[1n]] }, 'INVALID_VALUE', /Row 1/],
])('%s is refused, and nothing is left of it', async (_, source, code, message) => {
  const place = join(folder, 'table');
  for (const partitionBy of [[], ['name']]) {
    const table = await DeltaTable.create(join(place, String(partitionBy)), { schema: SCHEMA, partitionBy });
    await expect(table.append(source)).rejects.toMatchObject({
      name: 'LakeletError',
      code,
      message: expect.stringMatching(message),
    });
    expect((await DeltaTable.open(table.uri)).version).toBe(0);
    expect(readdirSync(join(place, String(partitionBy)))).toEqual(['_delta_log']);
    await table.append({ rows: [{ id: 1n, name: 'x' }] });
    expect(await rowsOf(table)).toHaveLength(1);
  }
});

test.each([
  ['s.a', { s: { a: null, b: [] } }],
  ['s.a', { s: {} }],
  ['s.b.element', { s: { a: 1, b: [1n, null] } }],
  ['s.b.element', { s: { a: 1, b: [null] } }],
  ['m.value', { m: new Map([['k', null]]) }],
  ['l.element.element.x', { l: [null, [null], [{ x: 1 }, { x: null }]] }],
])('NULL for %s, inside of a value, is refused as well', async (path, row) => {
  const array = (elementType: DataType, containsNull: boolean): DataType => ({
    type: 'array',
    elementType,
    containsNull,
  });
  const schema = struct(
    field('s', struct(field('a', 'integer', false), field('b', array('long', false)))),
    field('m', { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: false }),
    field('l', array(array(struct(field('x', 'integer', false)), true), true)),
  );
  const table = await newTable(schema);
  await expect(table.append({ rows: [row] })).rejects.toMatchObject({
    code: 'NOT_NULL_VIOLATED',
    message: expect.stringContaining(`NULL for ${path},`),
  });
  const rows = [
    { s: { a: 1, b: [] }, m: new Map([['k', 1n]]), l: [[{ x: 1 }, null], null] },
    { s: { a: 1, b: null }, m: new Map(), l: [] },
    { s: null, m: null, l: null },
  ];
  await table.append({ rows });
  expect(await rowsOf(table)).toEqual(rows);
});

test('an error of the source itself is handed on as the cause', async () => {
  const table = await newTable(SCHEMA);
  async function* rows() {
    yield { id: 1n };
    throw new Error('the source broke');
  }
  await expect(table.append({ rows: rows() })).rejects.toMatchObject({
    code: 'WRITE_FAILED',
    message: expect.stringContaining('the source broke'),
  });
  expect(table.version).toBe(0);
});

test.each<Source>([{ rows: [] }, { sql: 'SELECT 1 AS id WHERE false' }])(
  'an empty source %j makes a commit without files',
  async (source) => {
    for (const partitionBy of [[], ['name']]) {
      const table = await newTable(SCHEMA, { partitionBy });
      expect(await table.append(source)).toEqual({
        version: 1,
        metrics: { numOutputRows: 0, numAddedFiles: 0, numRemovedFiles: 0, numOutputBytes: 0 },
      });
      expect(await table.files()).toEqual([]);
      expect(await rowsOf(table)).toEqual([]);
    }
  },
);

describe('stopping', () => {
  const endless = async function* () {
    for (let id = 0n; ; id++) yield { id };
  };

  test.each<readonly [string, () => Source]>([
    ['endless rows', () => ({ rows: endless() })],
    [
      'long SQL',
      () => ({ sql: 'SELECT sum(a.range * b.range)::BIGINT AS id FROM range(10000000) AS a, range(10000) AS b' }),
    ],
  ])('ends a write of %s, of which nothing stays', async (_, source) => {
    const table = await DeltaTable.create(join(folder, 'table'), { schema: SCHEMA });
    await expect(table.append(source(), { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(readdirSync(join(folder, 'table'))).toEqual(['_delta_log']);
    expect(table.version).toBe(0);
    expect((await table.append({ rows: [{ id: 1n }] })).version).toBe(1);
  });

  test('before the start does nothing', async () => {
    const table = await newTable(SCHEMA);
    const signal = AbortSignal.abort();
    await expect(table.append({ rows: [{ id: 1n }] }, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(rowsOf(table, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('a scan ends it where it is, and the table can be scanned again', async () => {
    const table = await newTable(struct(field('n', 'long')));
    await table.append({ sql: 'SELECT range AS n FROM range(200000)' });
    const stop = new AbortController();
    const scan = async () => {
      for await (const _ of table.scan({ signal: stop.signal })) stop.abort();
    };
    await expect(scan()).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await rowsOf(table, { where: 'n < 5' })).toHaveLength(5);
  });

  test('a scan may be left early, many times, also while others go on', async () => {
    const table = await newTable(struct(field('n', 'long')));
    await table.append({ sql: 'SELECT range AS n FROM range(200000)' });
    const others = [rowsOf(table), rowsOf(table)];
    for (let round = 0; round < 30; round++) {
      for await (const batch of table.scan()) {
        expect(batch.length).toBeGreaterThan(0);
        break;
      }
    }
    for (const rows of await Promise.all(others)) expect(rows).toHaveLength(200_000);
  });
});

test('a table may be overwritten from its own rows', async () => {
  const engine = await DuckDBEngine.open();
  const table = await DeltaTable.create(join(folder, 'table'), { schema: SCHEMA, engine });
  await table.append({ sql: 'SELECT range AS id FROM range(1000)' });
  await engine.view('own', table);
  expect(await table.overwrite({ sql: 'SELECT * FROM own WHERE id < 10' })).toMatchObject({
    version: 2,
    metrics: { numOutputRows: 10, numRemovedFiles: 1 },
  });
  expect(await rowsOf(table)).toHaveLength(10);
  expect(await rowsOf(await DeltaTable.open(table.uri, { version: 1 }))).toHaveLength(1000);
  engine.close();
});

test('writes and statements on one engine at the same time do not meet', async () => {
  const engine = await DuckDBEngine.open();
  const schema = struct(field('n', 'long'), field('p', 'string'));
  const make = (at: number) => newTable(schema, { partitionBy: at % 3 === 0 ? ['p'] : [], engine });
  const tables = await Promise.all(Array.from({ length: 24 }, (_, at) => make(at)));
  const write = (table: DeltaTable, at: number) =>
    table.append(at % 2 === 0 ? { rows: [{ n: BigInt(at), p: 'x' }] } : { sql: `SELECT ${at} AS n, 'y' AS p` });
  const work = tables.flatMap((table, at) => [write(table, at), engine.rows(`SELECT ${at} AS n`)]);
  const results = await Promise.all(work);
  for (const [at, table] of tables.entries()) {
    expect(await rowsOf(table)).toMatchObject([{ n: BigInt(at) }]);
    expect(results[2 * at + 1]).toEqual([{ n: at }]);
  }
  engine.close();
});

test.each([undefined, null, 7, 'SELECT 1', {}, { rows: 7 }, { sql: 7 }, { parquet: [] }])(
  '%j is no source',
  async (source) => {
    const table = await newTable(SCHEMA);
    await expect(table.append(source as unknown as Source)).rejects.toMatchObject({ name: 'LakeletError' });
    expect(table.version).toBe(0);
  },
);
