import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchModel, interpreterOf, logTraining } from '../../lib/mlflow/index.ts';
import { portToUse } from '../../lib/process/port.ts';
import { type ServerProcess, startServer } from '../../lib/process/server.ts';
import { MemoryStore, openStore } from '../../lib/storage/index.ts';
import { startMinio } from '../../localstack/minio.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { championScore, trainingExample } from '../lib/mlflow/training-example.ts';

const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));
const before = { ...process.env };

let home: string;
let minio: RunningServer;
let mlflow: ServerProcess;
let trackingUri: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakelet-mlflow-s3-'));
  minio = await startMinio({ home: join(home, 'minio'), buckets: ['lakelet'] });
  Object.assign(process.env, minio.settings);
  const port = await portToUse(0);
  trackingUri = `http://127.0.0.1:${port}`;
  mlflow = await startServer({
    name: 'MLflow',
    failure: 'MLFLOW_START_FAILED',
    command: python,
    args: [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(home, 'mlflow.db')}`],
      ...['--no-serve-artifacts', '--default-artifact-root', 's3://lakelet/models'],
    ],
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', MLFLOW_DISABLE_TELEMETRY: 'true' },
    cwd: home,
    log: join(home, 'mlflow.log'),
    port,
    health: `${trackingUri}/health`,
    healthy: (body) => body === 'OK',
  });
}, 240_000);

afterAll(async () => {
  await mlflow?.stop();
  await minio?.stop();
  process.env = before;
  await rm(home, { recursive: true, force: true });
}, 30_000);

const target = () => ({
  trackingUri,
  experimentName: 's3',
  records: new MemoryStore(),
  evaluateChampion: async (...[, heldOut]: Parameters<Parameters<typeof logTraining>[1]['evaluateChampion']>) =>
    championScore(4, heldOut),
});

describe('an MLflow server that leaves its artifacts on S3 to its clients', () => {
  it('gets models and plots straight into the bucket, and hands the champion out from there', async () => {
    await logTraining(trainingExample('a', 5), target());
    const keys = (await Array.fromAsync(openStore('s3://lakelet/models').list(''))).map(({ key }) => key);
    expect(keys).toContainEqual(expect.stringMatching(/models\/m-\w+\/artifacts\/model\.onnx$/));
    expect(keys).toContainEqual(expect.stringMatching(/\/artifacts\/plots\/importances\.svg$/));
    const champion = await fetchModel({ trackingUri }, 'purchase-amount', 'champion');
    expect(champion?.onnx).toEqual(trainingExample('a', 5).model.onnx);
    expect(await logTraining(trainingExample('b', 3), target())).toMatchObject({ champion: true });
  }, 60_000);

  it('is named with what to set where the bucket can not be written', async () => {
    for await (const { key } of openStore('s3://lakelet').list('')) await openStore('s3://lakelet').delete(key);
    await minio.stop();
    await expect(logTraining(trainingExample('c', 5), target())).rejects.toMatchObject({
      code: 'MLFLOW_ARTIFACTS',
      message: expect.stringMatching(/s3:\/\/lakelet\/models.*AWS_ENDPOINT_URL_S3.*lakelet mlflow push/),
    });
  }, 180_000);
});
