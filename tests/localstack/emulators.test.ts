import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../../localstack/buckets.ts';
import { processesNaming, processTree, survivors } from '../lib/process/processes.ts';
import { type EmulatorsProcess, spawnEmulators } from './emulators-process.ts';

let home: string;
const running: EmulatorsProcess[] = [];

/** With ports of its own, since others may test beside it. */
function start(args: readonly string[] = [], env: Record<string, string> = {}): EmulatorsProcess {
  const ports = { GATEWAY_LISTEN: '127.0.0.1:24566', MLFLOW_PORT: '25000', MINIO_PORT: '29000' };
  const emulators = spawnEmulators(['--home', home, ...args], { ...ports, ...env });
  running.push(emulators);
  return emulators;
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakelet-emulators-'));
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  }
  await rm(home, { recursive: true, force: true });
});

describe('npm run emulators', () => {
  it('prints settings that work, and ends all at Ctrl-C; MinIO keeps what it has', async () => {
    const emulators = start(['--s3', 'minio']);
    const settings = await emulators.settings();
    expect(emulators.output.out).toMatch(/^(export \w+=[\w:/.-]+\n)+ready\n$/);
    expect(settings).toMatchObject({
      AWS_ENDPOINT_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      AWS_ENDPOINT_URL_S3: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      MLFLOW_TRACKING_URI: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      LAKE_URI: 's3://lakelet/lake',
    });
    expect(settings.AWS_ENDPOINT_URL_S3).not.toBe(settings.AWS_ENDPOINT_URL);
    const client = s3Client(settings);
    await client.send(new PutObjectCommand({ Bucket: 'lakelet', Key: 'lake/a', Body: 'kept' }));
    await putArtifact(settings);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'lakelet' }));
    expect(Contents.map(({ Key }) => Key)).toEqual(['lake/a', 'mlflow/1/run/model.txt']);

    const processes = await processTree(emulators.child.pid ?? 0);
    expect(processes.length).toBeGreaterThan(4);
    emulators.child.kill('SIGINT');
    expect(await emulators.ended).toBe(0);
    expect(await survivors(processes)).toEqual([]);

    const again = await start(['--s3', 'minio']).settings();
    const later = s3Client(again);
    const { Body } = await later.send(new GetObjectCommand({ Bucket: 'lakelet', Key: 'lake/a' }));
    expect(await Body?.transformToString()).toBe('kept');
    client.destroy();
    later.destroy();
  });

  it('has the bucket in LocalStack by default, refuses a second start, and leaves nothing when it is killed', async () => {
    const emulators = start();
    const settings = await emulators.settings();
    expect(settings.AWS_ENDPOINT_URL_S3).toBe(settings.AWS_ENDPOINT_URL);
    await putArtifact(settings);
    const client = s3Client(settings);
    await client.send(new HeadObjectCommand({ Bucket: 'lakelet', Key: 'mlflow/1/run/model.txt' }));
    client.destroy();

    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.output).toEqual({
      out: '',
      err: expect.stringMatching(/^error EMULATORS_RUNNING: Other emulators have .*--home.*\n$/),
    });

    const processes = await processTree(emulators.child.pid ?? 0);
    emulators.child.kill('SIGKILL');
    expect(await survivors(processes)).toEqual([]);

    // Its lock, the port of nobody and the folders are no obstacle.
    await start().settings();
  });

  it('says which server ended by itself, ends the others, and exits with 1', async () => {
    const emulators = start(['--s3', 'minio']);
    await emulators.settings();
    const processes = await processTree(emulators.child.pid ?? 0);
    const [minio] = await processesNaming(join(home, 'minio', 'data'));
    process.kill(minio ?? 0, 'SIGKILL');
    expect(await emulators.ended).toBe(1);
    const log = join(home, 'minio', 'minio.log');
    expect(emulators.output.err).toContain(`error EMULATOR_ENDED: MinIO ended by itself: its output is in ${log}.\n`);
    await access(log);
    expect(await survivors(processes)).toEqual([]);
  });

  it('ends what it started where one of them can not start, and says why', async () => {
    await mkdir(join(home, 'minio'));
    await writeFile(join(home, 'minio', 'data'), 'not a folder');
    const emulators = start(['--s3', 'minio']);
    expect(await emulators.ended).toBe(1);
    expect(emulators.output.out).toBe('');
    expect(emulators.output.err).toMatch(/error MINIO_START_FAILED: MinIO could not be started: .*minio\.log\.\n$/);
    expect(await processesNaming(home)).toEqual([]);
  });

  it('stops a start that is not done yet', async () => {
    const emulators = start();
    while ((await processesNaming(`emulators-command.ts --home ${home}`)).length === 0)
      await new Promise((go) => setTimeout(go, 50));
    await new Promise((go) => setTimeout(go, 1500));
    const processes = await processTree(emulators.child.pid ?? 0);
    emulators.child.kill('SIGTERM');
    expect(await emulators.ended).toBe(0);
    expect(emulators.output.out).toBe('');
    expect(await survivors(processes)).toEqual([]);
  });

  it.each([
    [['--s3', 'ceph'], {}, '--s3 is localstack or minio, not ceph'],
    [['--port', '1'], {}, "Unknown option '--port'"],
    [['minio'], {}, "Unexpected argument 'minio'"],
    [[], { MLFLOW_PORT: '70000' }, 'MLFLOW_PORT names no port'],
    [[], { GATEWAY_LISTEN: '0.0.0.0:4566' }, 'GATEWAY_LISTEN names no port of 127.0.0.1'],
  ])('takes %j with %j for wrong usage', async (args, env, message) => {
    const emulators = start(args, env);
    expect(await emulators.ended).toBe(2);
    expect(emulators.output.out).toBe('');
    expect(emulators.output.err).toContain(`error USAGE: ${message}`);
    expect(emulators.output.err.trim()).not.toContain('\n');
  });
});

async function putArtifact(settings: Record<string, string>): Promise<void> {
  const address = `${settings.MLFLOW_TRACKING_URI}/api/2.0/mlflow-artifacts/artifacts/1/run/model.txt`;
  expect((await fetch(address, { method: 'PUT', body: 'a model' })).status).toBe(200);
}
