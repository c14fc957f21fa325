// The whole from nothing: emulators are started, the functions deployed, 100,000 rows executed, and what came of it is read
// by Python from the bucket. Then the same seed in every other way to run it: the same rows. How long each part took is
// written to logs/pipeline-seconds.json.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromOnnx } from '../../lib/forest/index.ts';
import { fetchModel, interpreterOf } from '../../lib/mlflow/index.ts';
import { ensembleScorer, scoreRecords } from '../../lib/serving/index.ts';
import { openStore } from '../../lib/storage/index.ts';
import type { S3Connection } from '../../lib/storage/s3-client.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { deploy } from '../../localstack/deploy.ts';
import { type Emulators, startEmulators } from '../../localstack/emulators.ts';
import { Checkout, type Ended } from '../checkout.ts';
import { startOffline } from '../docs/offline.ts';
import { Lakehouse, TABLES } from '../lib/pipeline/lakehouse.ts';
import { BUCKET, connectWith, environment, START_TIMEOUT } from './s3-servers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LIMIT = 280_000;
const LAKE = `s3://${BUCKET}/lake`;
const RUN = ['--run-id', 'whole', '--rows', '100000', '--seed', '42', '--format', 'json'];
/** Where the model does not matter. */
const FEW_TREES = ['--trees', '2'];

let home: string;
let checkout: Checkout;
let emulators: Emulators | undefined;
let connection: S3Connection;
let lake: Lakehouse;
let output: Output;
/** What the lake held after the first execution. */
let contents: unknown[];
const seconds: Record<string, number> = {};

interface Output {
  readonly runId: string;
  readonly bronze: Step;
  readonly silver: Step & { readonly accounting: { readonly run: Record<string, number> } };
  readonly gold: Step & { readonly model: Record<string, unknown>; readonly mlflow: Record<string, unknown> };
}

interface Step {
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly version: number }[];
}

/** Takes the time of one part. */
async function timed<T>(part: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  seconds[part] = Math.round(performance.now() - started) / 1000;
  return result;
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakelet-whole-'));
  checkout = new Checkout();
  await timed('install', install);
  const started = await timed('start', () => startEmulators({ s3: 'minio', home }));
  emulators = started;
  await timed('deploy', () => deploy({ settings: started.settings, say: () => undefined }));
  connection = await connectWith(started.settings);
  lake = new Lakehouse(bucket('lake/'));
  output = outputOf(await timed('execution', () => onStepFunctions()));
  contents = await lake.contents();
}, START_TIMEOUT);

afterAll(async () => {
  connection?.client.destroy();
  await emulators?.stop();
  checkout?.remove();
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(ROOT, 'logs'), { recursive: true });
  writeFileSync(join(ROOT, 'logs', 'pipeline-seconds.json'), `${JSON.stringify(seconds, undefined, 2)}\n`);
}, 60_000);

/** What `npm test` does before the tests; a moment where all is there. */
async function install(): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, 'localstack', 'install.ts')], { stdio: ['ignore', 'ignore', 2] });
  expect(await once(child, 'exit')).toEqual([0, null]);
}

function bucket(prefix: string): S3Store {
  return new S3Store({ bucket: BUCKET, prefix }, () => Promise.resolve(connection));
}

/** Runs a program with these settings and no other for AWS. */
async function run(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(process.execPath, [join(checkout.folder, 'bin', 'lakelet.ts'), ...args], {
    cwd: home,
    env: { ...environment(settings), NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  });
  const [out, err] = [child.stdout, child.stderr].map(async (stream) => (await Array.fromAsync(stream)).join(''));
  const [code] = await once(child, 'close');
  return { code, out: (await out) ?? '', err: (await err) ?? '' };
}

function onStepFunctions(...more: readonly string[]): Promise<Ended> {
  return run(['run', '--runner', 'stepfunctions', ...RUN, ...more], emulators?.settings ?? {});
}

function outputOf({ code, out, err }: Ended): Output {
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

/** What a script of Python prints. */
async function python(script: string, ...args: readonly string[]): Promise<unknown> {
  const file = join(import.meta.dirname, 'pipeline', script);
  const interpreter = interpreterOf(join(ROOT, '.venv'));
  const env = environment(emulators?.settings ?? {});
  return JSON.parse((await promisify(execFile)(interpreter, [file, ...args], { env, maxBuffer: 1 << 28 })).stdout);
}

async function keys(prefix: string): Promise<string[]> {
  return (await Array.fromAsync(bucket('').list(prefix))).map(({ key }) => key);
}

/** What a lake in a folder holds. */
function contentsOf(folder: string): Promise<unknown[]> {
  return new Lakehouse(openStore(folder)).contents();
}

describe('an execution of 100,000 rows on the emulators', () => {
  it('accounts for every row', () => {
    const { bronze, silver } = output;
    expect(bronze.tables).toEqual([expect.objectContaining({ rows: 100_000 })]);
    const { in: delivered, good = 0, quarantined = 0, duplicates = 0 } = silver.accounting.run;
    expect(delivered).toBe(100_000);
    expect(good + quarantined + duplicates).toBe(100_000);
    expect(silver.tables.map(({ rows }) => rows)).toEqual([good, quarantined]);
  });

  it(
    'has its tables in the bucket, which delta-rs reads as the summary tells of them',
    async () => {
      const told = [output.bronze, output.silver, output.gold].flatMap(({ tables }) => tables);
      expect(told.map(({ table }) => table)).toEqual(TABLES.filter((table) => table !== 'ops/runs'));
      const read = await timed('read by deltalake', () =>
        python('tables.py', ...told.map(({ table }) => `${LAKE}/${table}`)),
      );
      const schemas = await Promise.all(told.map(({ table }) => schemaOf(`${LAKE}/${table}`)));
      expect(read).toEqual(told.map(({ rows, version }, at) => ({ rows, version, schema: schemas[at] })));
    },
    LIMIT,
  );

  async function schemaOf(uri: string): Promise<unknown> {
    const shown = await run(['table', 'show', uri, '--format', 'json'], emulators?.settings ?? {});
    expect(shown).toMatchObject({ code: 0 });
    return JSON.parse(shown.out).schema;
  }

  it("has its model in the same bucket, and no record that waits for MLflow's server", async () => {
    const models = (await keys('')).filter((key) => key.endsWith('.onnx'));
    expect(models).toEqual([expect.stringMatching(/^mlflow\/.+\/model\.onnx$/)]);
    expect(await keys('lake/.lakelet/mlflow/runs/')).toEqual([]);
    expect(output.gold.mlflow).toMatchObject({ version: '1', champion: true });
  });

  it(
    'has a champion that Python loads, and that predicts there what it predicts here',
    async () => {
      const answer = await timed('loaded by mlflow', () =>
        python('predictions.py', `${LAKE}/silver/purchases`, '2000'),
      );
      const { records, predictions } = answer as {
        records: Record<string, string | number | boolean | null>[];
        predictions: number[];
      };
      expect(records).toHaveLength(2000);
      const trackingUri = emulators?.settings.MLFLOW_TRACKING_URI ?? '';
      const { version = '', onnx = new Uint8Array() } =
        (await fetchModel({ trackingUri }, 'purchase-amount', 'champion')) ?? {};
      const scorer = ensembleScorer(fromOnnx(onnx));
      const own = await scoreRecords({ name: 'purchase-amount', version, ...scorer }, records);
      // Python's runtime sums the trees in 32-bit floats.
      const apart = [...own.predicted].map((value, at) => Math.abs(value / (predictions[at] ?? Number.NaN) - 1));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
      expect(new Set(predictions).size).toBeGreaterThan(100);
    },
    LIMIT,
  );
});

describe('the same seed gives the same rows in bronze, silver and gold', () => {
  it(
    'embedded, with the same model',
    async () => {
      const folder = join(home, 'embedded');
      const embedded = outputOf(await timed('embedded', () => run(['run', ...RUN, '--lake', folder], {})));
      expect(await contentsOf(folder)).toEqual(contents);
      const { seconds: _, ...model } = embedded.gold.model;
      expect(output.gold.model).toMatchObject(model);
    },
    LIMIT,
  );

  it(
    'by serverless invoke local',
    async () => {
      const folder = join(home, 'invoked');
      const event = JSON.stringify({ runId: 'whole', rows: 100_000, seed: 42, trees: 2 });
      for (const step of ['bronze', 'silver', 'gold']) {
        const line = `npx --no-install serverless invoke local -f ${step} --data '${event}'`;
        const ended = await timed(`invoke local, ${step}`, () => checkout.shell(line, { LAKE_URI: folder }, LIMIT));
        expect(ended).toMatchObject({ code: 0 });
      }
      expect(await contentsOf(folder)).toEqual(contents);
    },
    LIMIT,
  );

  it(
    "by serverless-offline's Lambda API",
    async () => {
      const folder = join(home, 'offline');
      const offline = await startOffline(checkout, 'npm run offline', { LAKE_URI: folder });
      try {
        const settings = {
          AWS_ENDPOINT_URL_LAMBDA: offline.here('http://127.0.0.1:3002'),
          AWS_ACCESS_KEY_ID: 'any',
          AWS_SECRET_ACCESS_KEY: 'any',
        };
        const shards = ['--shards', '2'];
        outputOf(await run(['run', '--runner', 'lambda', ...RUN, ...FEW_TREES, ...shards], settings));
      } finally {
        await offline.stop();
      }
      expect(await contentsOf(folder)).toEqual(contents);
    },
    LIMIT,
  );

  it(
    'on LocalStack in three shards',
    async () => {
      // The functions have one lake, which is begun anew.
      for (const key of await keys('lake/')) await bucket('').delete(key);
      const sharded = outputOf(await timed('execution in three shards', () => onStepFunctions('--shards', '3')));
      expect(sharded.bronze).toMatchObject({ delivered: { rows: 100_000, shards: 3 } });
      expect(await lake.contents()).toEqual(contents);
    },
    LIMIT,
  );
});
