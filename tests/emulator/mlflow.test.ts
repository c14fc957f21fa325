import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { fetchModel, logTraining } from '../../lib/mlflow/index.ts';
import { openStore } from '../../lib/storage/index.ts';
import { makeBuckets, s3Client } from '../../localstack/buckets.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import { startMinio } from '../../localstack/minio.ts';
import { startMlflow } from '../../localstack/mlflow.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { championScore, trainingExample } from '../lib/mlflow/training-example.ts';
import { groupMembers, survivors } from '../lib/process/processes.ts';

let home: string;
const running: RunningServer[] = [];

async function started(starting: Promise<RunningServer>): Promise<RunningServer> {
  const server = await starting;
  running.push(server);
  return server;
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakelet mlflow '));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await rm(home, { recursive: true, force: true });
});

const SERVERS = [
  ['MinIO', startMinio],
  ['LocalStack', startLocalStack],
] as const;

describe.each(SERVERS)('startMlflow, with artifacts in %s', (_, startS3) => {
  it('keeps runs in its home and models in the bucket, and leaves no process', async () => {
    const { settings } = await started(startS3({ home: join(home, 's3') }));
    await makeBuckets(settings, ['lakelet']);
    const options = { home: join(home, 'mlflow'), artifacts: 's3://lakelet/mlflow', settings };
    const first = await started(startMlflow(options));
    const trackingUri = first.settings.MLFLOW_TRACKING_URI ?? '';
    const training = trainingExample('emulated', 5);
    await logTraining(training, {
      trackingUri,
      experimentName: 'emulators',
      records: openStore(join(home, 'records')),
      evaluateChampion: async (_, heldOut) => championScore(5, heldOut),
    });

    const client = s3Client(settings);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'lakelet' }));
    client.destroy();
    const keys = Contents.map(({ Key = '' }) => Key);
    expect(keys).toContainEqual(expect.stringMatching(/^mlflow\/.*\/model\.onnx$/));
    expect(keys.filter((key) => !key.startsWith('mlflow/'))).toEqual([]);

    const members = await groupMembers(first.pid);
    await first.stop();
    expect(await survivors(members)).toEqual([]);

    const second = await started(startMlflow({ ...options, port: Number(new URL(trackingUri).port) }));
    expect(second.settings).toEqual(first.settings);
    const champion = await fetchModel({ trackingUri }, 'purchase-amount', 'champion');
    expect(champion?.onnx).toEqual(training.model.onnx);
  });
});
