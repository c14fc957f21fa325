import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestamp } from '../../../lib/cli/table-command.ts';
import { type Answer, lakelet, lakeletProcess, objects } from './lakelet.ts';

let folder: string;
let table: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-table-'));
  table = join(folder, 'lake', 'shop', 'prices');
  await writeFile(join(folder, 'prices.csv'), 'item,price,day\nbread,2.5,2024-01-01\nmilk,1.25,2024-01-02\n');
  await made([
    'create',
    table,
    '--source',
    join(folder, 'prices.csv'),
    '--partition-by',
    'day',
    '--property',
    'a.b=c=d',
  ]);
  await made(['append', table, '--source', "SELECT 'tea' AS item, 4.0 AS price, DATE '2024-01-02' AS day"]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function made(argv: readonly string[]): Promise<Record<string, unknown>> {
  const answer = await lakelet(['table', ...argv]);
  expect(answer).toMatchObject({ code: 0, err: '' });
  const [result = {}] = objects(answer);
  return result;
}

function expectFailure({ code, out, err }: Answer, line: RegExp): void {
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(line);
  expect(err.trimEnd()).not.toContain('\n');
}

describe('lakelet table create, append and overwrite', () => {
  it('print version and metrics as one JSON object', async () => {
    const path = join(folder, 'numbers');
    expect(await made(['create', path, '--source', 'SELECT 1 AS n'])).toMatchObject({ metrics: { numOutputRows: 1 } });
    const appended = await made(['append', path, '--source', 'SELECT n::INTEGER AS n FROM range(5) t(n)']);
    expect(appended).toMatchObject({ metrics: { numOutputRows: 5, numAddedFiles: 1, numRemovedFiles: 0 } });
    const { version, metrics } = await made(['overwrite', path, '--source', 'SELECT 7 AS n; -- seven']);
    expect(version).toBe(Number(appended.version) + 1);
    expect(metrics).toMatchObject({ numOutputRows: 1, numAddedFiles: 1, numRemovedFiles: 2 });
    expect((await lakelet(['query', 'FROM n', '--table', `n=${path}`, '--format', 'csv'])).out).toBe('n\n7\n');
  });

  it('take SQL over the lake, Parquet and JSON files as a source', async () => {
    const lake = join(folder, 'lake');
    await made(['create', join(lake, 'copy'), '--lake', lake, '--source', 'SELECT item FROM shop.prices']);
    const parquet = join(folder, 'items.parquet');
    await lakelet(['query', 'FROM copy', '--lake', lake, '--format', 'parquet', '--output', parquet]);
    await made(['append', join(lake, 'copy'), '--source', parquet]);
    await writeFile(join(folder, 'more.ndjson'), '{"item": "salt"}\n');
    await made(['append', join(lake, 'copy'), '--source', join(folder, 'more.ndjson')]);
    const { out } = await lakelet(['query', 'SELECT count(*) AS n FROM copy', '--lake', lake, '--format', 'json']);
    expect(JSON.parse(out)).toEqual({ n: 7 });
    await rm(join(lake, 'copy'), { recursive: true });
  });

  it('give every type of DuckDB the Delta type that holds it', async () => {
    const path = join(folder, 'types');
    const select = `SELECT 1::UTINYINT AS ut, 18446744073709551615::UBIGINT AS ub, sum(2::BIGINT) AS total,
      1.5::DECIMAL(9, 3) AS dec, uuid() AS id, 'a'::ENUM ('a', 'b') AS e, TIMESTAMP '2024-01-01' AS local,
      TIMESTAMPTZ '2024-01-01' AS at, [1, NULL] AS list, {'x': 'y', 'z': [true]} AS st, MAP {'k': 1.5::FLOAT} AS m,
      'x'::BLOB AS raw`;
    await made(['create', path, '--source', select]);
    const [shown = {}] = objects(await lakelet(['table', 'show', path, '--format', 'json']));
    const { out } = await lakelet(['table', 'show', path]);
    expect(shown.partitionColumns).toEqual([]);
    for (const line of [
      'ut short',
      'ub decimal(20,0)',
      'total decimal(38,0)',
      'dec decimal(9,3)',
      'id string',
      'e string',
      'local timestamp_ntz',
      'at timestamp',
      'list array<integer>',
      'st struct<x: string, z: array<boolean>>',
      'm map<string, float>',
      'raw binary',
    ]) {
      expect(out.replace(/ +/g, ' ')).toContain(`\n${line} may be null`);
    }
  });

  it.each([
    ['SELECT INTERVAL 1 DAY AS i', /^error UNSUPPORTED_TYPE: Column i .*INTERVAL.*cast/],
    ['SELECT 1 AS n, 2 AS N', /^error [A-Z_]+: .*\bN\b/],
    ['SELECT * FROM nowhere.at_all', /^error TABLE_NOT_FOUND: .*nowhere\.at_all/],
    ['SELEC 1', /^error QUERY_INVALID: /],
    ['missing.csv', /^error SOURCE_NOT_FOUND: .*missing\.csv/],
  ])('make no table of %s, and say why', async (source, line) => {
    const path = join(folder, 'unmade');
    expectFailure(await lakelet(['table', 'create', path, '--source', source]), line);
    expectFailure(await lakelet(['table', 'show', path]), /^error TABLE_NOT_FOUND: /);
  });

  it('refuse to make a table that is there, and to write one that is not', async () => {
    expectFailure(await lakelet(['table', 'create', table, '--source', 'SELECT 1 AS n']), /^error TABLE_EXISTS: /);
    const none = join(folder, 'none');
    expectFailure(await lakelet(['table', 'append', none, '--source', 'SELECT 1 AS n']), /^error TABLE_NOT_FOUND: /);
    expectFailure(await lakelet(['table', 'overwrite', none, '--source', 'SELECT 1 AS n']), /^error TABLE_NOT_FOUND: /);
  });

  it('refuse columns that the table does not have', async () => {
    const answer = await lakelet(['table', 'append', table, '--source', "SELECT 'x' AS item, 1 AS colour"]);
    expectFailure(answer, /^error SCHEMA_MISMATCH: .*colour/);
  });
});

describe('lakelet table show, files and history', () => {
  it('show what the table is, by the names of DESCRIBE DETAIL', async () => {
    const [detail] = objects(await lakelet(['table', 'show', table, '--format', 'json']));
    expect(detail).toMatchObject({
      format: 'delta',
      version: 2,
      numFiles: 3,
      partitionColumns: ['day'],
      properties: { 'a.b': 'c=d' },
      schema: { type: 'struct' },
    });
    const { out } = await lakelet(['table', 'show', table]);
    expect(out).toMatch(/^version +2$/m);
    expect(out).toMatch(/^files +3, \d/m);
    expect(out).toMatch(/^partitioned by +day$/m);
    expect(out).toMatch(/^day +date +may be null$/m);
  });

  it('show an earlier version', async () => {
    const [detail] = objects(await lakelet(['table', 'show', table, '--version', '1', '--format', 'json']));
    expect(detail).toMatchObject({ version: 1, numFiles: 2 });
    const now = await lakelet(['table', 'files', table, '--timestamp', '2999-01-01', '--format', 'json']);
    expect(objects(now)).toHaveLength(3);
  });

  it('list the files with their statistics, one object a line', async () => {
    const files = objects(await lakelet(['table', 'files', table, '--format', 'json']));
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).toMatchObject({ numRecords: 1, partitionValues: { day: expect.stringMatching(/^2024-01-0[12]$/) } });
      expect(file.stats).toMatchObject({ numRecords: 1 });
    }
    const some = objects(await lakelet(['table', 'files', table, '--where', "day = '2024-01-01'", '--format', 'json']));
    expect(some.map(({ partitionValues }) => partitionValues)).toEqual([{ day: '2024-01-01' }]);
    const { out } = await lakelet(['table', 'files', table]);
    expect(out.split('\n')[2]).toMatch(/\.parquet +\d+ B|KiB +1 +day=2024-01-0\d/);
  });

  it('tell the history, newest first', async () => {
    const entries = objects(await lakelet(['table', 'history', table, '--format', 'json']));
    expect(entries.map(({ version }) => version)).toEqual([2, 1, 0]);
    expect(entries[0]).toMatchObject({ operation: 'WRITE' });
    expect(objects(await lakelet(['table', 'history', table, '--limit', '1', '--format', 'json']))).toHaveLength(1);
    expect((await lakelet(['table', 'history', table])).out).toMatch(/^ +2 +\d{4}-.*WRITE/m);
  });

  it('write a checkpoint, after which the table reads as before', async () => {
    const path = join(folder, 'checked');
    await made(['create', path, '--source', 'SELECT 1 AS n']);
    const { version } = await made(['checkpoint', path]);
    expect(JSON.parse(await readFile(join(path, '_delta_log', '_last_checkpoint'), 'utf8'))).toMatchObject({ version });
    expect((await lakelet(['query', 'FROM t', '--table', `t=${path}`, '--format', 'csv'])).out).toBe('n\n1\n');
  });
});

describe('lakelet table with bad input', () => {
  it.each([
    [['show']],
    [['show', 'x', '--version', '-1']],
    [['show', 'x', '--version', 'two']],
    [['show', 'x', '--timestamp', 'yesterday']],
    [['show', 'x', '--timestamp', '2024-02-30']],
    [['show', 'x', '--version', '1', '--timestamp', '2024-01-01']],
    [['show', 'x', '--verzion', '1']],
    [['files', 'x', '--format', 'xml']],
    [['create', 'x']],
    [['create', 'x', '--source', 'SELECT 1 AS a', '--property', 'novalue']],
    [['create', 'x', '--source', 'SELECT 1 AS a', '--partition-by', 'a,,b']],
    [['drop', 'x']],
  ])('takes %j for wrong usage: exit code 2 and one line', async (argv) => {
    const { code, out, err } = await lakelet(['table', ...argv]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error USAGE: .*\n$/);
  });

  it('says which versions there are', async () => {
    expectFailure(await lakelet(['table', 'show', table, '--version', '99']), /^error VERSION_NOT_FOUND: .*99/);
    const early = await lakelet(['table', 'show', table, '--timestamp', '1999-01-01']);
    expectFailure(early, /^error VERSION_NOT_FOUND: .*1999/);
  });

  it('says that a file stands where the table should be', async () => {
    expectFailure(await lakelet(['table', 'show', join(folder, 'prices.csv')]), /^error [A-Z_]+: .*prices\.csv/);
  });

  it('says which commit is corrupt', async () => {
    const log = join(folder, 'corrupt', '_delta_log');
    await mkdir(log, { recursive: true });
    await writeFile(join(log, '00000000000000000000.json'), '{"protocol":{"minReaderVersion":1,\u001b[31m');
    const answer = await lakelet(['table', 'show', join(folder, 'corrupt')]);
    expectFailure(answer, /^error LOG_CORRUPT: .*00000000000000000000\.json/);
  });

  it('refuses a table of a future protocol by name', async () => {
    const log = join(folder, 'future', '_delta_log');
    await mkdir(log, { recursive: true });
    const actions = [
      {
        protocol: {
          minReaderVersion: 3,
          minWriterVersion: 7,
          readerFeatures: ['timeMachine'],
          writerFeatures: ['timeMachine'],
        },
      },
      {
        metaData: {
          id: 'f',
          format: { provider: 'parquet', options: {} },
          schemaString: '{"type":"struct","fields":[]}',
          partitionColumns: [],
          configuration: {},
          createdTime: 0,
        },
      },
    ];
    await writeFile(join(log, '00000000000000000000.json'), actions.map((action) => JSON.stringify(action)).join('\n'));
    for (const argv of [['show'], ['append', '--source', 'SELECT 1 AS n']]) {
      const answer = await lakelet(['table', argv[0] ?? '', join(folder, 'future'), ...argv.slice(1)]);
      expectFailure(answer, /^error UNSUPPORTED_FEATURE: .*timeMachine/);
    }
  });
});

describe('timestamp', () => {
  it.each([
    ['2024-06-30', '2024-06-30T00:00:00.000Z'],
    ['2024-06-30 12:30', '2024-06-30T12:30:00.000Z'],
    ['2024-06-30T12:00:00Z', '2024-06-30T12:00:00.000Z'],
    ['2024-06-30T12:00:00.123456+0200', '2024-06-30T10:00:00.123Z'],
  ])('reads %s as %s', (text, iso) => {
    expect(timestamp(text).toISOString()).toBe(iso);
  });

  it.each(['', 'now', '2024', '2024-13-01', '2024-02-30', '2024-01-01T25:00', '20240101'])('refuses %j', (text) => {
    expect(() => timestamp(text)).toThrow('Give a time');
  });
});

describe('the lakelet process', () => {
  it('ends with 0, 1 and 2, its result on standard output alone', async () => {
    const [good, missing, usage] = await Promise.all([
      lakeletProcess(['table', 'show', table, '--version', '1', '--format', 'json']),
      lakeletProcess(['table', 'show', join(folder, 'none')]),
      lakeletProcess(['table', 'show', table, '--colour', 'red']),
    ]);
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(good.out)).toMatchObject({ version: 1 });
    expect(missing).toMatchObject({ code: 1, out: '' });
    expect(missing.err).toMatch(/^error TABLE_NOT_FOUND: .*\n$/);
    expect(usage).toMatchObject({ code: 2, out: '' });
    expect(usage.err).toMatch(/^error USAGE: unknown option '--colour'.*\n$/);
  });
});
