import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { interpreterOf } from '../../lib/mlflow/index.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { startMlflow } from '../../localstack/mlflow.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { Checkout } from '../checkout.ts';
import { BUCKET, environment, type S3Server, START_TIMEOUT, startS3 } from '../emulator/s3-servers.ts';

const LAKE = `s3://${BUCKET}/lake`;
const TABLES = [
  'bronze.purchases',
  'silver.purchases',
  'silver.purchases_quarantine',
  'gold.purchases_by_category',
  'gold.purchases_by_demographics',
  'gold.purchases_by_period',
  'gold.predictions',
  'ops.runs',
];

const execute = promisify(execFile);
const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));

let home: string;
let s3: S3Server;
let mlflow: RunningServer;
let checkout: Checkout;
let summary: Record<string, Record<string, Record<string, unknown>>>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakelet-lake-s3-'));
  s3 = await startS3('MinIO');
  mlflow = await startMlflow({ home, artifacts: `s3://${BUCKET}/mlflow`, settings: s3.settings });
  checkout = new Checkout();
  summary = JSON.parse(await lakelet('run', '--rows', '3000', '--trees', '10', '--format', 'json'));
}, START_TIMEOUT);

afterAll(async () => {
  checkout?.remove();
  await mlflow?.stop();
  await s3?.stop();
  await rm(home, { recursive: true, force: true });
});

async function lakelet(...argv: string[]): Promise<string> {
  const env = { ...environment(s3.settings), ...mlflow.settings, LAKE_URI: LAKE };
  const { code, out, err } = await checkout.lakelet(argv, env);
  if (code !== 0) throw new Error(err);
  return out;
}

/** A table's rows as read.py gives them. */
async function ourRows(table: string, ...more: string[]): Promise<unknown[]> {
  const sql = `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ${table} ORDER BY ALL`;
  const lines = (await lakelet('query', sql, '--format', 'json', ...more)).split('\n');
  return lines.flatMap((line) => (line === '' ? [] : [Object.values(JSON.parse(line))]));
}

async function script(
  name: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<string> {
  const file = join(import.meta.dirname, 'lake-s3', name);
  const { stdout } = await execute(python, [file, ...args], { env: environment(settings), maxBuffer: 1 << 28 });
  return stdout;
}

interface Reading {
  readonly version: number;
  readonly rows: readonly unknown[];
}

async function readWithDeltaRs(...uris: string[]): Promise<readonly Reading[]> {
  return JSON.parse(await script('read.py', uris, s3.settings));
}

it('has the tables that a run wrote to S3 read by delta-rs, row by row', async () => {
  const readings = await readWithDeltaRs(...TABLES.map((table) => `${LAKE}/${table.replace('.', '/')}`));
  for (const [at, table] of TABLES.entries()) {
    const rows = await ourRows(table);
    expect(rows.length).toBeGreaterThan(0);
    expect(readings[at]?.rows).toEqual(rows);
  }
});

it('reads a table that delta-rs wrote to S3, and appends to it what delta-rs reads', async () => {
  const uri = `s3://${BUCKET}/foreign tables/by day`;
  await script('write.py', [uri], s3.settings);
  const [theirs] = await readWithDeltaRs(uri);
  expect(theirs?.rows).toHaveLength(145);
  expect(await ourRows('t', '--table', `t=${uri}`)).toEqual(theirs?.rows);
  const source = "SELECT 1000 AS id, 'new place/ü' AS place, DATE '2025-01-01' AS day, 1.5::DECIMAL(12, 3) AS amount";
  expect(JSON.parse(await lakelet('table', 'append', uri, '--source', source))).toMatchObject({
    version: (theirs?.version ?? 0) + 1,
  });
  const [after] = await readWithDeltaRs(uri);
  expect(after?.rows).toHaveLength(146);
  expect(after?.rows).toEqual(await ourRows('t', '--table', `t=${uri}`));
});

it('has its champion, whose files are in the bucket, loaded by MLflow in Python', async () => {
  const champion = JSON.parse(await script('champion.py', [], mlflow.settings));
  expect(champion).toEqual({
    predictions: Array(5).fill(expect.any(Number)),
    rmse: summary.gold?.model?.rmse,
    source: `${LAKE}/silver/purchases`,
  });
  const bucket = new S3Store({ bucket: BUCKET, prefix: '' }, () => Promise.resolve(s3.connection));
  const keys = (await Array.fromAsync(bucket.list('mlflow/'))).map(({ key }) => key);
  expect(keys.filter((key) => key.endsWith('/model.onnx'))).toHaveLength(1);
  // The server has it, so no record waits to be pushed.
  expect(await Array.fromAsync(bucket.list('lake/.lakelet/mlflow/runs/'))).toEqual([]);
});
