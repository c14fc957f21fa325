import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableOption } from '../../../lib/cli/query-command.ts';
import { type Answer, lakelet, lakeletProcess, objects } from './lakelet.ts';

let folder: string;
let lake: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lakelet-query's "));
  lake = join(folder, 'lake');
  await made([
    'create',
    join(lake, 'bronze', 'purchases'),
    '--source',
    'SELECT n AS id, n % 3 AS kind FROM range(10) t(n)',
  ]);
  await made([
    'append',
    join(lake, 'bronze', 'purchases'),
    '--source',
    'SELECT n AS id, 9 AS kind FROM range(100, 110) t(n)',
  ]);
  await made([
    'create',
    join(lake, 'odd "schema"', "it's a.table"),
    '--source',
    'SELECT 42 AS "an \'odd\' ""column"""',
  ]);
  await made(['create', join(lake, 'flat'), '--source', 'SELECT 1 AS one']);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function made(argv: readonly string[]): Promise<void> {
  expect(await lakelet(['table', ...argv])).toMatchObject({ code: 0, err: '' });
}

function query(sql: string, ...options: string[]): Promise<Answer> {
  return lakelet(['query', sql, '--lake', lake, ...options]);
}

function expectFailure({ code, out, err }: Answer, line: RegExp): void {
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(line);
  expect(err.trimEnd()).not.toContain('\n');
}

describe('lakelet query', () => {
  it("reads the lake's tables under their names, of whatever case, as of one version", async () => {
    const { out } = await query('SELECT kind, count(*) AS n FROM Bronze.PURCHASES GROUP BY ALL ORDER BY kind');
    expect(out).toBe('kind   n\n────  ──\n   0   4\n   1   3\n   2   3\n   9  10\n');
    expect((await query('FROM flat', '--format', 'csv')).out).toBe('one\n1\n');
    expect((await query('SELECT 1 AS a', '--format', 'csv')).out).toBe('a\n1\n');
  });

  it('reads names with odd characters, quoted', async () => {
    const answer = await query(`SELECT * FROM "odd ""schema"""."it's a.table"`, '--format', 'json');
    expect(objects(answer)).toEqual([{ 'an \'odd\' "column"': 42 }]);
  });

  it('adds tables under names, at a version', async () => {
    const purchases = join(lake, 'bronze', 'purchases');
    const sql = 'SELECT (SELECT count(*) FROM now) AS now, (SELECT count(*) FROM old.then) AS past';
    const answer = await query(
      sql,
      '--table',
      `now=${purchases}`,
      '--table',
      `old.then=${purchases}@1`,
      '--format',
      'json',
    );
    expect(objects(answer)).toEqual([{ now: 20, past: 10 }]);
    const replaced = await query(
      'SELECT count(*) AS n FROM bronze.purchases',
      '--table',
      `bronze.purchases=${purchases}@1`,
    );
    expect(replaced.out).toMatch(/^10$/m);
  });

  it.each(['SHOW ALL TABLES', "SELECT * FROM information_schema.tables WHERE table_schema <> 'x'"])(
    'tells by %s which tables there are',
    async (sql) => {
      const { code, out } = await query(sql, '--format', 'csv');
      expect(code).toBe(0);
      for (const name of ['purchases', 'flat', "it's a.table"]) expect(out).toContain(name);
    },
  );

  it('describes and summarizes a table', async () => {
    const described = objects(await query('DESCRIBE bronze.purchases', '--format', 'json'));
    expect(described.map(({ column_name, column_type }) => [column_name, column_type])).toEqual([
      ['id', 'BIGINT'],
      ['kind', 'BIGINT'],
    ]);
    expect(objects(await query('SUMMARIZE bronze.purchases', '--format', 'json'))).toHaveLength(2);
  });

  it('loses nothing in JSON', async () => {
    const sql = `SELECT 9007199254740991 AS safe, 9007199254740993 AS large, 1.50::DECIMAL(9, 2) AS exact,
      'nan'::DOUBLE AS nan, '-infinity'::DOUBLE AS down, TIMESTAMPTZ '2024-01-01 00:00:00.000001+00' AS at,
      TIMESTAMP '2024-01-01 12:00:00' AS local, DATE '2024-02-29' AS day, '\\x00\\xFF'::BLOB AS raw,
      [1, NULL] AS list, {'a': {'b': true}} AS st, NULL AS nothing`;
    expect(objects(await query(sql, '--format', 'json'))).toEqual([
      {
        safe: 9007199254740991,
        large: '9007199254740993',
        exact: '1.50',
        nan: 'NaN',
        down: '-Infinity',
        at: '2024-01-01T00:00:00.000001Z',
        local: '2024-01-01T12:00:00.000000',
        day: '2024-02-29',
        raw: 'AP8=',
        list: [1, null],
        st: { a: { b: true } },
        nothing: null,
      },
    ]);
  });

  it('shows a bounded table and says how many rows it left out; the other formats have all', async () => {
    const { out, err } = await query('FROM range(5000)');
    expect(out.trimEnd().split('\n')).toHaveLength(102);
    expect(err).toBe('The first 100 rows, 4,900 left out; --format json or csv writes all\n');
    expect(objects(await query('FROM range(5000)', '--format', 'json'))).toHaveLength(5000);
    expect((await query('FROM range(5000)', '--format', 'csv')).out.trimEnd().split('\n')).toHaveLength(5001);
  });

  it('lets nothing harmful through to a terminal', async () => {
    const { out } = await query(`SELECT chr(27) || '[2J' AS "a\u001b[31m"`);
    expect(out).toBe('a\\u001b[31m\n──────────\n\\u001b[2J\n'.replace('──────────', '─'.repeat(11)));
  });

  it.each(['csv', 'json', 'table', 'parquet'])('writes %s to a file', async (format) => {
    const file = join(folder, `result's.${format}`);
    const sql = 'SELECT id FROM bronze.purchases ORDER BY id LIMIT 2; -- the first';
    expect(await query(sql, '--format', format, '--output', file)).toEqual({ code: 0, out: '', err: '' });
    if (format === 'csv') expect(await readFile(file, 'utf8')).toBe('id\n0\n1\n');
    if (format === 'json') expect(await readFile(file, 'utf8')).toBe('{"id":0}\n{"id":1}\n');
    if (format === 'parquet') {
      const back = await query(`FROM '${file.replaceAll("'", "''")}'`, '--format', 'csv');
      expect(back.out).toBe('id\n0\n1\n');
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('leaves an old output as it was when the query fails on the way', async () => {
    const file = join(folder, 'kept.csv');
    await writeFile(file, 'old');
    const sql = "SELECT CASE WHEN range < 300000 THEN 1 ELSE error('too far') END AS a FROM range(400000)";
    for (const format of ['csv', 'parquet']) {
      expectFailure(await query(sql, '--format', format, '--output', file), /^error [A-Z_]+: .*too far/);
      expect(await readFile(file, 'utf8')).toBe('old');
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('explains the plan, and which files of a table can match', async () => {
    const sql = 'SELECT count(*) FROM bronze.purchases WHERE id > 50 AND kind IN (9, 10)';
    const [told = {}] = objects(await query(sql, '--explain', '--format', 'json'));
    expect(told.plan).toContain('READ_PARQUET');
    expect(told.tables).toEqual([
      {
        table: 'bronze.purchases',
        version: 2,
        filesKept: 1,
        filesSkipped: 1,
        bytesKept: expect.any(Number),
        where: expect.stringContaining('"id"'),
      },
    ]);
    const { out } = await query('SELECT * FROM bronze.purchases x JOIN flat ON one = id', '--explain');
    expect(out).toMatch(/^bronze\.purchases +2 +2 .* 0/m);
    expect(out).toMatch(/^flat +1 +1 .* 0/m);
  });

  it.each([
    [
      'SELECT * FROM silver.nothing',
      /^error TABLE_NOT_FOUND: .*silver\.nothing; there are bronze\.purchases, flat, "odd/,
    ],
    ['SELECT nothing FROM flat', /^error QUERY_INVALID: .*nothing.*one/],
    ['SELECT $1', /^error QUERY_INVALID: .*parameters/],
    ['SELEC 1', /^error QUERY_INVALID: .*SELEC/i],
    ['', /^error QUERY_INVALID: /],
    ['DROP VIEW flat', /^error QUERY_NOT_READ_ONLY: /],
    ['SELECT 1; SELECT 2', /^error QUERY_NOT_READ_ONLY: /],
    ["COPY flat TO '/tmp/lakelet-never.csv'", /^error QUERY_NOT_READ_ONLY: /],
    ["SELECT CAST('x' AS INTEGER)", /^error [A-Z_]+: .*Could not convert/],
  ])('answers %j with exit code 1 and one line', async (sql, line) => {
    expectFailure(await query(sql), line);
  });

  it('says that the lake is a file, or has no tables', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'x');
    expectFailure(await lakelet(['query', 'FROM a.b', '--lake', file]), /^error NOT_A_FOLDER: /);
    await mkdir(join(folder, 'empty'));
    const answer = await lakelet(['query', 'FROM a.b', '--lake', join(folder, 'empty')]);
    expectFailure(answer, /^error TABLE_NOT_FOUND: There is no table a\.b; the lake has none yet/);
  });

  it.each([
    [['--format', 'parquet']],
    [['--format', 'xml']],
    [['--table', 'noname']],
    [['--table', 'a.b.c=/x']],
    [['--explain', '--format', 'csv']],
    [['--colour', 'red']],
    [['FROM flat']],
  ])('takes %j for wrong usage', async (options) => {
    const { code, out, err } = await query('SELECT 1', ...options);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error USAGE: .*\n$/);
  });

  it('does not start when it was stopped before', async () => {
    const answer = await lakelet(['query', 'SELECT 1'], AbortSignal.abort());
    expectFailure(answer, /^error INTERRUPTED: /);
  });

  it.each(['table', 'parquet'])('stops, on the way to its first row, while it makes %s', async (format) => {
    const sql = 'SELECT sum(a.range * b.range % 7) FROM range(1000000) a, range(1000000) b';
    const options = ['--format', format, ...(format === 'parquet' ? ['--output', join(folder, 'never')] : [])];
    const answer = await lakelet(['query', sql, ...options], AbortSignal.timeout(300));
    expectFailure(answer, /^error INTERRUPTED: /);
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('tableOption', () => {
  it('tells a version from an @ in the path', () => {
    expect(tableOption('t=/a/@scope/b@12')).toMatchObject({ name: ['t'], version: 12 });
    const { store, version } = tableOption('s.t=/a/@scope/b');
    expect(version).toBeUndefined();
    expect(store.uri).toContain('@scope/b');
  });
});

describe('the lakelet process', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('stops a query on %s, in one line with exit code 1', async (signal) => {
    const bin = join(import.meta.dirname, '..', '..', '..', 'bin', 'lakelet.ts');
    const child = spawn(process.execPath, [bin, 'query', 'FROM range(1000000000)', '--format', 'csv']);
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdout.once('data', () => child.kill(signal));
    const [code] = await once(child, 'exit');
    expect({ code, err }).toEqual({ code: 1, err: 'error INTERRUPTED: The query was stopped before its end\n' });
  });

  it('is quiet where the reader of its output goes away', async () => {
    const bin = join(import.meta.dirname, '..', '..', '..', 'bin', 'lakelet.ts');
    const child = spawn(process.execPath, [bin, 'query', 'FROM range(3000000)', '--format', 'csv']);
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('prints the result alone', async () => {
    const sql = 'SELECT count(*) AS n FROM bronze.purchases';
    expect(await lakeletProcess(['query', sql, '--lake', lake, '--format', 'json'])).toEqual({
      code: 0,
      out: '{"n":20}\n',
      err: '',
    });
  });
});
