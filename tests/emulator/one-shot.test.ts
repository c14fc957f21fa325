import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { s3Client } from '../../localstack/buckets.ts';
import { composeConfig } from '../../localstack/compose/config.ts';
import { type Emulators, startEmulators } from '../../localstack/emulators.ts';
import type { Ended } from '../checkout.ts';

const root = join(import.meta.dirname, '..', '..');

/** What the service `lakelet` runs, and its settings in the network of the services. */
let command: readonly string[];
let environment: Record<string, string>;
/** What its image holds. */
let image: string;
let home: string;
let emulators: Emulators | undefined;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakelet-one-shot-'));
  const { lakelet } = (await composeConfig(join(root, 'docker-compose.yml'))).services;
  command = lakelet?.command ?? [];
  environment = { ...lakelet?.environment };
  image = realpathSync(mkdtempSync(join(tmpdir(), 'lakelet-image-')));
  fillImage(image);
  emulators = await startEmulators({ s3: 'minio', home });
}, 600_000);

afterAll(async () => {
  await emulators?.stop();
  for (const folder of [home, image]) rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** What `COPY . .` leaves in the image, by .dockerignore, which lists what comes in; the packages are the project's. */
function fillImage(folder: string): void {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  expect(lines.find((line) => !line.startsWith('#'))).toBe('*');
  for (const line of lines.filter((name) => name.startsWith('!'))) {
    cpSync(join(root, line.slice(1)), join(folder, line.slice(1)), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
}

/** Runs the service's command as its container would, against the servers that run here. */
async function oneShot(settings: Record<string, string>): Promise<Ended> {
  const [program = '', ...args] = command;
  expect(program).toBe('node');
  const child = spawn(process.execPath, args, {
    cwd: image,
    env: { PATH: process.env.PATH, HOME: home, ...environment, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 280_000,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, out, err };
}

/** The addresses of the servers that run here in place of the services' names; LocalStack by a name, as there. */
function here(): Record<string, string> {
  const { AWS_ENDPOINT_URL = '', AWS_ENDPOINT_URL_S3 = '', MLFLOW_TRACKING_URI = '' } = emulators?.settings ?? {};
  return {
    AWS_ENDPOINT_URL: AWS_ENDPOINT_URL.replace('127.0.0.1', 'localhost'),
    AWS_ENDPOINT_URL_S3,
    MLFLOW_TRACKING_URI,
  };
}

async function keys(prefix: string): Promise<string[]> {
  const client = s3Client(emulators?.settings ?? {});
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'lakelet', Prefix: prefix }));
    return Contents.map(({ Key = '' }) => Key);
  } finally {
    client.destroy();
  }
}

describe('the service lakelet of docker-compose.yml', () => {
  it('deploys, runs the state machine, prints the summary, and ends with 0', async () => {
    const ended = await oneShot({ ...here(), ROWS: '1000', SEED: '7', SHARDS: '2' });
    expect(ended).toMatchObject({ code: 0, err: expect.not.stringMatching(/^error /m) });
    expect(ended.out).toMatch(/^bronze\/purchases +1000 /m);
    expect(ended.out).toContain('purchase-amount');
    expect(ended.err).toContain(`The model is on ${environment.MLFLOW_PAGE}`);
  }, 300_000);

  it('has put the tables and the model into the one bucket, and the run into MLflow', async () => {
    expect(await keys('lake/gold/purchases_by_category/_delta_log/')).not.toEqual([]);
    expect((await keys('mlflow/')).some((key) => key.endsWith('/model.onnx'))).toBe(true);
    const alias = new URL('/api/2.0/mlflow/registered-models/alias', here().MLFLOW_TRACKING_URI);
    alias.search = String(new URLSearchParams({ name: 'purchase-amount', alias: 'champion' }));
    expect(await (await fetch(alias)).json()).toMatchObject({ model_version: { name: 'purchase-amount' } });
  }, 60_000);

  it("gives the functions the keys of MinIO alone, also where LocalStack has a session's token for them", async () => {
    const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '' } = emulators?.settings ?? {};
    const client = new LambdaClient({ endpoint, region, credentials: { accessKeyId: 'any', secretAccessKey: 'any' } });
    const { Environment } = await client
      .send(new GetFunctionConfigurationCommand({ FunctionName: 'lakelet-local-silver' }))
      .finally(() => client.destroy());
    expect(Environment?.Variables).toMatchObject({
      AWS_ENDPOINT_URL_S3: here().AWS_ENDPOINT_URL_S3,
      AWS_ACCESS_KEY_ID: environment.AWS_ACCESS_KEY_ID,
      AWS_SESSION_TOKEN: '',
      MLFLOW_TRACKING_URI: here().MLFLOW_TRACKING_URI,
      LAKE_URI: environment.LAKE_URI,
    });
  }, 60_000);

  it('runs again on what is deployed', async () => {
    const ended = await oneShot({ ...here(), ROWS: '500', SEED: '8' });
    expect(ended).toMatchObject({ code: 0, err: expect.not.stringMatching(/^error /m) });
    expect(ended.out).toMatch(/^bronze\/purchases +1500 /m);
  }, 300_000);

  it('ends with what the run ends with', async () => {
    expect(await oneShot({ ...here(), ROWS: 'many' })).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^error USAGE: /m),
    });
  }, 300_000);

  it.each([
    ['a setting is missing', { MLFLOW_TRACKING_URI: '' }, /^error CONFIG_INVALID: MLFLOW_TRACKING_URI must be set/m],
    ['the lake is a folder', { LAKE_URI: '/lake' }, /^error CONFIG_INVALID: LAKE_URI is \/lake: /m],
    [
      "LocalStack's host is not known",
      { AWS_ENDPOINT_URL: 'http://no.such.host.invalid:4566' },
      /^error CONFIG_INVALID: /m,
    ],
    ['S3 can not be reached', { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }, /^error BUCKET_FAILED: /m],
  ])(
    'says in one line that %s, and ends with 1',
    async (_, settings, line) => {
      const ended = await oneShot({ ...here(), ...settings });
      expect(ended).toMatchObject({ code: 1, out: '', err: expect.stringMatching(line) });
      expect(ended.err.trim().split('\n')).toHaveLength(1);
    },
    60_000,
  );
});
