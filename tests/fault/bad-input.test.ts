import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Checkout, type Ended } from '../checkout.ts';
import { type ServerDouble, startServerDouble } from '../lib/mlflow/server-double.ts';

const SMALL = ['run', '--rows', '600', '--trees', '3'];
let checkout: Checkout;

beforeAll(async () => {
  checkout = new Checkout();
  expect(await checkout.lakelet([...SMALL, '--run-id', 'first'])).toMatchObject({ code: 0 });
}, 60_000);

afterAll(() => checkout.remove());

/** That a command failed by one line: nothing on standard output, no stack, and after progress the error alone. */
function expectOneLine(ended: Ended, code: 1 | 2, line: RegExp): void {
  const lines = ended.err.trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(line);
  expect(lines.filter((text) => /^error |^\s+at /.test(text))).toHaveLength(1);
  expect(ended).toMatchObject({ code, out: '' });
}

async function rowsOf(table: string, env: Record<string, string> = {}): Promise<number> {
  const answer = await checkout.lakelet(['query', `SELECT count(*) AS n FROM ${table}`, '--format', 'json'], env);
  return JSON.parse(answer.out).n;
}

describe('wrong usage', () => {
  it.each([
    [
      'a negative number of rows',
      ['run', '--rows', '-5'],
      /^error USAGE: option '--rows <n>' argument '-5' is invalid/,
    ],
    ['an option that is unknown', ['run', '--colour'], /^error USAGE: unknown option '--colour'/],
    ['a command that is unknown', ['rnu'], /^error USAGE: unknown command 'rnu'/],
    ['a query without its SQL', ['query'], /^error USAGE: missing required argument 'sql'/],
  ])('of %s ends with one line and exit code 2', async (_, argv, line) => {
    const ended = await checkout.lakelet(argv);
    expectOneLine(ended, 2, line);
    expect(ended.err.split('\n')).toHaveLength(2);
  });
});

describe('a Node that is too old', () => {
  it('is told in one line, before anything is done', async () => {
    const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(old)}`;
    const LAKE_URI = join(checkout.folder, 'untouched');
    const ended = await checkout.lakelet(SMALL, { NODE_OPTIONS, LAKE_URI });
    expectOneLine(ended, 1, /^error NODE_TOO_OLD: lakelet needs Node 22 or newer, and this is Node 20\.20\.2: /);
    expect(readdirSync(checkout.folder)).not.toContain('untouched');
  });
});

describe('a lake that cannot be written', () => {
  it('is told in one line where it is a file, which stays as it was', async () => {
    const LAKE_URI = join(checkout.folder, 'a-file');
    writeFileSync(LAKE_URI, 'mine');
    expectOneLine(
      await checkout.lakelet(SMALL, { LAKE_URI }),
      1,
      /^error NOT_A_FOLDER: .*a-file.* choose another folder$/,
    );
    expectOneLine(await checkout.lakelet(['query', 'FROM silver.purchases'], { LAKE_URI }), 1, /^error NOT_A_FOLDER: /);
    expect(readdirSync(checkout.folder)).toContain('a-file');
  });

  it('is told in one line where its folder is read-only', async () => {
    const ended = await checkout.lakelet(SMALL, { LAKE_URI: readOnlyFolder() });
    expectOneLine(ended, 1, /^error ACCESS_DENIED: Cannot write .*\/lake\/.*choose another folder$/);
  });

  it('is told in one line where a write does not fit, and its tables stay as they were', async () => {
    const LAKE_URI = join(checkout.folder, 'small');
    expect(await checkout.lakelet(SMALL, { LAKE_URI })).toMatchObject({ code: 0 });
    // A limit on the size of a file cuts writes off where a full disk does; blocks are 512 bytes or 1,024.
    const ended = await checkout.shell(`ulimit -f 128; exec node bin/lakelet.ts run --rows 20000 --seed 7 --trees 3`, {
      LAKE_URI,
    });
    expectOneLine(ended, 1, /^error WRITE_FAILED: .*small.*File too large/);
    expect(await rowsOf('bronze.purchases', { LAKE_URI })).toBe(600);
    expect(await checkout.lakelet([...SMALL, '--seed', '7'], { LAKE_URI })).toMatchObject({ code: 0 });
    expect(await rowsOf('bronze.purchases', { LAKE_URI })).toBe(1200);
  }, 60_000);
});

/** A folder that this user, root too, can't write in. */
function readOnlyFolder(): string {
  if (process.getuid?.() === 0) return '/sys/lake';
  const folder = join(checkout.folder, 'locked');
  mkdirSync(folder, { mode: 0o555 });
  return join(folder, 'lake');
}

describe('a table that cannot be read', () => {
  const log = (name: string, version: number) =>
    join(checkout.lake, name, '_delta_log', `${String(version).padStart(20, '0')}.json`);

  it('is told by its corrupted commit, to readers and to runs, and the others are still read', async () => {
    const commit = log('silver/purchases', 2);
    writeFileSync(commit, '{"add":{"path":\n');
    const told = /^error \w+: .*silver\/purchases.*00000000000000000002\.json/;
    expectOneLine(await checkout.lakelet(['query', 'SELECT count(*) FROM silver.purchases']), 1, told);
    expectOneLine(await checkout.lakelet(['table', 'show', join(checkout.lake, 'silver', 'purchases')]), 1, told);
    expectOneLine(await checkout.lakelet([...SMALL, '--run-id', 'second']), 1, told);
    expect(await rowsOf('gold.purchases_by_category')).toBeGreaterThan(0);
    rmSync(commit);
    expect(await checkout.lakelet([...SMALL, '--run-id', 'second'])).toMatchObject({ code: 0 });
    expect(await rowsOf('bronze.purchases')).toBe(1200);
  }, 60_000);

  it('is refused by the name of a feature of the future, and nothing is written to it', async () => {
    const gold = join(checkout.lake, 'gold', 'purchases_by_period');
    const versions = readdirSync(join(gold, '_delta_log')).filter((name) => name.endsWith('.json'));
    const future = log('gold/purchases_by_period', versions.length);
    const protocol = {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['timeMachine'],
      writerFeatures: ['timeMachine'],
    };
    appendFileSync(future, `${JSON.stringify({ protocol })}\n`);
    const before = readdirSync(gold);
    const told = /^error \w+: .*purchases_by_period.*timeMachine/;
    expectOneLine(await checkout.lakelet(['query', 'FROM gold.purchases_by_period']), 1, told);
    expectOneLine(await checkout.lakelet([...SMALL, '--run-id', 'third']), 1, told);
    expect(readdirSync(gold)).toEqual(before);
    expect(readdirSync(join(gold, '_delta_log'))).toHaveLength(versions.length + 1);
    rmSync(future);
  }, 60_000);

  it('is refused by a protocol version of the future', async () => {
    const uri = join(checkout.folder, 'future');
    expect(await checkout.lakelet(['table', 'create', uri, '--source', 'SELECT 1 AS n'])).toMatchObject({ code: 0 });
    const commit = join(uri, '_delta_log', `${'2'.padStart(20, '0')}.json`);
    writeFileSync(commit, `${JSON.stringify({ protocol: { minReaderVersion: 9, minWriterVersion: 9 } })}\n`);
    expectOneLine(await checkout.lakelet(['table', 'show', uri]), 1, /^error \w+: .*future.*reader version 9/);
    const append = ['table', 'append', uri, '--source', 'SELECT 2 AS n'];
    expectOneLine(await checkout.lakelet(append), 1, /^error \w+: .*future.*version 9/);
    expect(readdirSync(join(uri, '_delta_log'))).toHaveLength(3);
  });
});

describe('an MLflow server', () => {
  let server: ServerDouble;

  beforeAll(async () => {
    server = await startServerDouble();
  });

  afterAll(() => server.close());

  it.each([
    ['that is down', 'down', () => closedPort(), /^error MLFLOW_UNREACHABLE: .*127\.0\.0\.1.*lakelet mlflow push/],
    ['that answers 500', 'broken', () => broken(), /^error MLFLOW_\w+: .*127\.0\.0\.1.*500.*lakelet mlflow push/],
  ])(
    '%s leaves the tables made and the record kept, which a push brings later, once',
    async (_, id, uri, line) => {
      const before = { bronze: await rowsOf('bronze.purchases'), runs: server.runs.length };
      const ended = await checkout.lakelet([...SMALL, '--run-id', id], { MLFLOW_TRACKING_URI: await uri() });
      expectOneLine(ended, 1, line);
      expect(await rowsOf('bronze.purchases')).toBe(before.bronze + 600);
      expect(readdirSync(join(checkout.folder, '.lakelet', 'mlflow', 'runs'))).toContain(`${id}.json`);

      server.fail = () => false;
      const up = { MLFLOW_TRACKING_URI: server.uri };
      expect(await checkout.lakelet(['mlflow', 'push'], up)).toMatchObject({ code: 0 });
      const pushed = server.runs.filter((run) => run.tags.get('lakelet.run_id') === id);
      expect(pushed.map((run) => run.status)).toEqual(['FINISHED']);
      const count = server.runs.length;
      expect(count).toBeGreaterThan(before.runs);
      expect(await checkout.lakelet(['mlflow', 'push'], up)).toMatchObject({ code: 0 });
      expect(server.runs).toHaveLength(count);
    },
    90_000,
  );

  function broken(): string {
    server.fail = (_call, response) => {
      response.writeHead(500).end('{"error_code":"INTERNAL_ERROR","message":"disk on fire"}');
      return true;
    };
    return server.uri;
  }
});

/** The address of a port that was free a moment ago, so that connections to it are refused. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
