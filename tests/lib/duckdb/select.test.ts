import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { readSelect, type SqlEngine } from '../../../lib/duckdb/select.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
const engine: SqlEngine = {
  rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjects(),
};

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

describe('readSelect', () => {
  it.each<[string, string[][]]>([
    ['SELECT 1', []],
    ['select 1; -- done', []],
    ['VALUES (1), (2)', []],
    [`SELECT 1e400, -1e400, 'Infinity "NaN' AS "Infinity"`, []],
    ['FROM bronze.purchases', [['bronze', 'purchases']]],
    ['TABLE flat', [['flat']]],
    ['DESCRIBE silver.purchases', [['silver', 'purchases']]],
    ['SUMMARIZE silver.purchases', [['silver', 'purchases']]],
    [`SELECT * FROM "it's"."ta.b ""le"`, [["it's", 'ta.b "le']]],
    [
      'WITH w AS (FROM a.b) SELECT * FROM w JOIN c.d USING (k) WHERE x IN (SELECT x FROM e.f) UNION ALL FROM g',
      [['a', 'b'], ['w'], ['c', 'd'], ['e', 'f'], ['g']],
    ],
    ['PIVOT a.b ON year IN (2024) USING sum(n)', [['a', 'b']]],
  ])('names the tables of %s', async (sql, tables) => {
    const select = await readSelect(engine, sql);
    expect(select.any).toBe(false);
    expect(select.tables.toSorted()).toEqual(tables.toSorted());
  });

  it.each([
    'SHOW TABLES',
    'SHOW ALL TABLES',
    'SHOW TABLES FROM bronze',
    "FROM query('FROM bronze.purchases')",
    'SELECT * FROM information_schema.tables',
    'SELECT table_name FROM duckdb_views()',
  ])('takes it that %s may read any table', async (sql) => {
    expect((await readSelect(engine, sql)).any).toBe(true);
  });

  it.each([
    'SELECT 1; SELECT 2',
    'SELECT 1; DROP TABLE t',
    'CREATE TABLE t (a INTEGER)',
    'INSERT INTO t VALUES (1)',
    'UPDATE t SET a = 1',
    'DELETE FROM t',
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    "ATTACH 'x.db' AS x",
    'INSTALL json',
    'SET threads = 1',
    'CALL pragma_version()',
    'EXPLAIN SELECT 1',
    "EXPORT DATABASE '/tmp/x'",
    'BEGIN',
  ])('refuses %s', async (sql) => {
    await expect(readSelect(engine, sql)).rejects.toMatchObject({
      name: 'LakeletError',
      code: 'QUERY_NOT_READ_ONLY',
    });
  });

  it.each(['', ' -- nothing', 'SELEC 1', 'SELECT (1', "SELECT 'open"])('says that %j is no SQL', async (sql) => {
    await expect(readSelect(engine, sql)).rejects.toMatchObject({ name: 'LakeletError', code: 'QUERY_INVALID' });
  });
});
