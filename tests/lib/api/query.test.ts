import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { QueryRunner } from '../../../lib/api/query.ts';
import { DeltaTable } from '../../../lib/duckdb/delta.ts';
import { apiLake } from './lake.ts';

/** More than any of these takes on a machine that has other work; seconds. */
const LONG = 100;
jest.setTimeout(1.5 * LONG * 1000);

const lake = apiLake();
const runner = new QueryRunner();
afterAll(() => runner.close());

function query(sql: string, limit = 1000, seconds = LONG) {
  return runner.run({ lakeUri: lake().config.lakeUri, sql, limit, seconds });
}

/** The code of the error that a query comes to. */
async function refusal(sql: string, seconds = LONG): Promise<string> {
  try {
    const { rows } = await query(sql, 5, seconds);
    return `answered ${JSON.stringify(rows).slice(0, 100)}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a query', () => {
  test('reads tables at one version each, by names in any case', async () => {
    const answer = await query('SELECT count(*) AS n FROM Silver.PURCHASES JOIN bronze.purchases USING (purchase_id)');
    expect(answer.columns).toEqual([{ name: 'n', type: 'BIGINT' }]);
    expect(answer.tables).toEqual([
      { name: 'silver.purchases', version: 1 },
      { name: 'bronze.purchases', version: 1 },
    ]);
    expect(Number(answer.rows[0]?.n)).toBeGreaterThan(1000);
  });

  test('answers in JSON that loses nothing', async () => {
    const sql = `SELECT 9007199254740993 AS long, 1.50::DECIMAL(5,2) AS exact, 'NaN'::DOUBLE AS nan, 1e400 AS beyond,
      TIMESTAMPTZ '2024-05-01 12:00:00+02' AS instant, 'x'::BLOB AS bytes, {a: [1, NULL]} AS nested, 3 AS "__proto__"`;
    const [row] = (await query(sql)).rows;
    expect(JSON.parse(JSON.stringify(row))).toEqual(
      JSON.parse(`{ "long": "9007199254740993", "exact": "1.50", "nan": "NaN", "beyond": "Infinity",
        "instant": "2024-05-01T10:00:00.000000Z", "bytes": "eA==", "nested": { "a": [1, null] }, "__proto__": 3 }`),
    );
  });

  test('says that it was cut, by its rows or by their bytes', async () => {
    expect(await query('FROM range(3) ORDER BY range DESC', 2)).toMatchObject({
      rows: [{ range: 2 }, { range: 1 }],
      truncated: true,
    });
    expect(await query('FROM range(2)', 2)).toMatchObject({ truncated: false });
    const wide = await query("SELECT repeat('x', 1000000) AS x FROM range(10)");
    expect(wide.rows).toHaveLength(3);
    expect(wide.truncated).toBe(true);
    expect(await refusal("SELECT repeat('x', 5000000) AS x")).toBe('ROW_TOO_LARGE');
  });

  test('has columns whose names and types fit into an answer as well', async () => {
    const column = `${'c'.repeat(1000)}`;
    const names = (times: number) =>
      `SELECT COLUMNS('.*') AS '${'\\0'.repeat(times)}' FROM (SELECT 1 AS ${column}1, 2 AS ${column}2) WHERE false`;
    expect((await query(names(10))).columns).toHaveLength(2);
    expect(await refusal(names(2500))).toBe('ROW_TOO_LARGE');
  });

  test.each([
    'WITH a AS (SELECT 1 AS x), b AS (FROM a) SELECT * FROM b',
    'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t',
    'SELECT * FROM (WITH c AS (SELECT 1) FROM c), (WITH c AS (SELECT 2) FROM c)',
    'DESCRIBE silver.purchases',
    'SUMMARIZE gold.purchases_by_category',
    'SELECT * FROM unnest([1, 2]) AS t(x), range(2), generate_series(1, 2)',
    'SELECT list_transform([1], lambda x: x + 1), CURRENT_DATE, main.abs(-1)',
    "SELECT 'a' COLLATE de < 'b', strftime(now(), '%Y')",
    'FROM silver.purchases USING SAMPLE 5',
    'VALUES (1); ',
    'SELECT 1 -- the end',
    "FROM (PIVOT silver.purchases ON education IN ('PhD') USING count(*))",
  ])('may be any SELECT: %s', async (sql) => {
    await expect(query(sql)).resolves.toMatchObject({ rows: expect.anything() });
  });

  test.each([
    // Files
    ["FROM '/etc/passwd'", 'TABLE_NOT_FOUND'],
    ["FROM read_text('/etc/passwd')", 'QUERY_REFUSED'],
    ["FROM read_parquet('/x.parquet')", 'QUERY_REFUSED'],
    ["FROM main.read_csv('/x.csv')", 'QUERY_REFUSED'],
    ["FROM glob('/*')", 'QUERY_REFUSED'],
    ["SELECT * FROM silver.purchases, read_blob('/etc/passwd')", 'QUERY_REFUSED'],
    ["SELECT (SELECT content FROM read_text('/etc/passwd'))", 'QUERY_REFUSED'],
    ["FROM sniff_csv('/etc/passwd')", 'QUERY_REFUSED'],
    ["FROM parquet_metadata('/x.parquet')", 'QUERY_REFUSED'],
    // What DuckDB knows of itself: settings, paths, secrets
    ["SELECT current_setting('allowed_paths')", 'QUERY_REFUSED'],
    [`SELECT main."Current_Setting"('threads')`, 'QUERY_REFUSED'],
    ["SELECT system.main.current_setting('threads')", 'QUERY_REFUSED'],
    ["SELECT getenv('HOME')", 'QUERY_REFUSED'],
    ['FROM duckdb_settings()', 'QUERY_REFUSED'],
    ['FROM duckdb_secrets()', 'QUERY_REFUSED'],
    ['FROM duckdb_views()', 'QUERY_REFUSED'],
    ['FROM system.main.pragma_version()', 'QUERY_REFUSED'],
    ['FROM duckdb_views', 'TABLE_NOT_FOUND'],
    ['FROM pg_catalog.pg_settings', 'TABLE_NOT_FOUND'],
    ['FROM system.pg_catalog.pg_settings', 'TABLE_NOT_FOUND'],
    ['FROM information_schema.views', 'TABLE_NOT_FOUND'],
    ['SELECT pg_get_viewdef(1)', 'QUERY_REFUSED'],
    ['SHOW TABLES', 'QUERY_REFUSED'],
    ['SHOW ALL TABLES', 'QUERY_REFUSED'],
    // The same behind a name that is one of WITH's elsewhere
    ['WITH pg_settings AS (FROM pg_settings) FROM pg_settings', 'TABLE_NOT_FOUND'],
    ['SELECT * FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views), duckdb_views', 'TABLE_NOT_FOUND'],
    ['WITH a AS (FROM sqlite_master), sqlite_master AS (SELECT 1) FROM a', 'TABLE_NOT_FOUND'],
    ['WITH pg_settings AS (SELECT 1) FROM pg_catalog.pg_settings', 'TABLE_NOT_FOUND'],
    // SQL that is worked out
    ["FROM query('FROM duckdb_settings()')", 'QUERY_REFUSED'],
    ["FROM query_table('duckdb_views')", 'QUERY_REFUSED'],
    ["SELECT json_serialize_plan('FROM silver.purchases')", 'QUERY_REFUSED'],
    ["FROM json_execute_serialized_sql('{}')", 'QUERY_REFUSED'],
    ["FROM sql_auto_complete('SEL')", 'QUERY_REFUSED'],
    ["FROM histogram('duckdb_views', 'sql')", 'QUERY_REFUSED'],
    // Other statements, and more than one
    ['SELECT 1; SELECT 2', 'QUERY_NOT_READ_ONLY'],
    ['SELECT 1; DROP VIEW silver.purchases', 'QUERY_NOT_READ_ONLY'],
    ["COPY (SELECT 1) TO '/tmp/x'", 'QUERY_NOT_READ_ONLY'],
    ['CREATE TABLE t (i INT)', 'QUERY_NOT_READ_ONLY'],
    ['WITH x AS (SELECT 1) INSERT INTO t FROM x', 'QUERY_NOT_READ_ONLY'],
    ['SET threads = 1', 'QUERY_NOT_READ_ONLY'],
    ["SET VARIABLE x = 'left behind'", 'QUERY_NOT_READ_ONLY'],
    ['PRAGMA version', 'QUERY_NOT_READ_ONLY'],
    ["ATTACH '/tmp/x.db'", 'QUERY_NOT_READ_ONLY'],
    ['INSTALL httpfs', 'QUERY_NOT_READ_ONLY'],
    ['LOAD httpfs', 'QUERY_NOT_READ_ONLY'],
    ['EXPLAIN SELECT 1', 'QUERY_NOT_READ_ONLY'],
    ['CALL duckdb_settings()', 'QUERY_NOT_READ_ONLY'],
    ['PREPARE p AS SELECT 1', 'QUERY_NOT_READ_ONLY'],
    ['EXECUTE p', 'QUERY_NOT_READ_ONLY'],
    ['CREATE SECRET s (TYPE S3)', 'QUERY_NOT_READ_ONLY'],
    ['USE silver', 'QUERY_NOT_READ_ONLY'],
    ["EXPORT DATABASE '/tmp/x'", 'QUERY_NOT_READ_ONLY'],
    // What is wrong in itself
    ['', 'QUERY_INVALID'],
    ['-- nothing', 'QUERY_INVALID'],
    ['SELECT /* open', 'QUERY_INVALID'],
    ['SELECT nope FROM silver.purchases', 'QUERY_INVALID'],
    ["SELECT 'a'::INTEGER", 'QUERY_INVALID'],
    ["SELECT CAST(city AS INTEGER) FROM silver.purchases WHERE city <> ''", 'QUERY_INVALID'],
    ['SELECT ?', 'QUERY_INVALID'],
    ['SELECT $x', 'QUERY_INVALID'],
    ['FROM silver.nope', 'TABLE_NOT_FOUND'],
    ['FROM memory.silver.purchases', 'TABLE_NOT_FOUND'],
    ['FROM silver.purchases AT (VERSION => 0)', 'QUERY_REFUSED'],
  ])('that reaches beyond the tables is refused: %s', async (sql, code) => {
    expect(await refusal(sql)).toBe(code);
  });

  test('finds no file of the lake that is not live, and no place of one in an error', async () => {
    const { lakeUri } = lake().config;
    writeFileSync(join(lakeUri, 'secret.csv'), 'a,b\n');
    const log = join(lakeUri, 'silver/purchases/_delta_log', '00000000000000000000.json');
    for (const file of [log, join(lakeUri, 'secret.csv'), `${lakeUri}/silver/purchases/*.parquet`]) {
      const error = await query(`FROM '${file}'`).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'TABLE_NOT_FOUND' });
    }
    const told = await query('SELECT nope FROM silver.purchases').catch((thrown: Error) => thrown.message);
    expect(told).not.toContain(lakeUri);
  });

  test.each([
    [
      'recursion without end',
      'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t',
    ],
    ['a product of rows', 'SELECT count(*) FROM range(1000000000000) a, range(1000000) b'],
    ['a function that waits', 'SELECT pg_sleep(1000)'],
  ])('is stopped at its time: %s', async (_, sql) => {
    expect(await refusal(sql, 1)).toBe('QUERY_TIMEOUT');
    expect((await query('SELECT 1 AS x')).rows).toEqual([{ x: 1 }]);
  });

  test.each([
    ['one long text', "SELECT repeat(repeat('x', 1000000), 4000)"],
    ['a text of many', "SELECT string_agg(range::VARCHAR || repeat('x', 1000), '') FROM range(10000000)"],
    ['a long list', 'SELECT list(range) FROM range(1000000000)'],
  ])('is stopped where it takes too much memory: %s', async (_, sql) => {
    expect(await refusal(sql)).toBe('QUERY_TOO_LARGE');
    expect((await query('SELECT 1 AS x')).rows).toEqual([{ x: 1 }]);
  });

  test.each([
    ['parentheses', `SELECT ${'('.repeat(45_000)}1${')'.repeat(45_000)}`],
    ['lists', `SELECT ${'['.repeat(45_000)}${']'.repeat(45_000)}`],
    ['signs', `SELECT ${'- '.repeat(45_000)}1`],
    ['sums', `SELECT ${'1+'.repeat(45_000)}1`],
    ['calls', `SELECT ${'abs('.repeat(15_000)}1${')'.repeat(15_000)}`],
    ['queries', `${'SELECT * FROM ('.repeat(3000)}SELECT 1${')'.repeat(3000)}`],
    ['brackets that stay open', '('.repeat(99_000)],
  ])('may be nested too deep, which ends no process: %s', async (_, sql) => {
    expect(await refusal(sql)).toBe('QUERY_INVALID');
    expect((await query('SELECT 1 AS x')).rows).toEqual([{ x: 1 }]);
  });

  test('leaves nothing behind for the next one, and no file anywhere in the lake', async () => {
    const files = () => readdirSync(lake().config.lakeUri, { recursive: true }).sort();
    const before = files();
    await refusal("SET VARIABLE x = 'left'");
    expect(await refusal("SELECT getvariable('x')")).toBe('QUERY_REFUSED');
    const drawn = async () => {
      await query('SELECT setseed(0.5)');
      return (await query('SELECT random() AS r')).rows;
    };
    expect(await drawn()).not.toEqual(await drawn());
    expect(files()).toEqual(before);
  });

  test('holds no character NUL, which DuckDB would take for its end', async () => {
    expect(await refusal("SELECT 'a\0b'")).toBe('QUERY_INVALID');
  });

  test('sees what was committed since the last one', async () => {
    const table = await DeltaTable.create(lake().lake.at('extra/things'), {
      schema: { type: 'struct', fields: [{ name: 'id', type: 'long', nullable: true, metadata: {} }] },
    });
    const count = async () => (await query('SELECT count(*) AS n FROM extra.things')).rows;
    expect(await count()).toEqual([{ n: 0 }]);
    await table.append({ rows: [{ id: 1n }] });
    expect(await count()).toEqual([{ n: 1 }]);
  });

  test('runs beside others', async () => {
    const sums = await Promise.all([1, 2, 3].map((n) => query(`SELECT ${n} + count(*) AS n FROM range(1000000)`)));
    expect(sums.map(({ rows }) => rows[0]?.n)).toEqual([1_000_001, 1_000_002, 1_000_003]);
  });
});
