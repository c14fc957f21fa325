import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../../localstack/buckets.ts';
import { startMinio } from '../../localstack/minio.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { groupMembers, processesNaming, survivors } from '../lib/process/processes.ts';

describe('startMinio', () => {
  let home: string;
  const running: RunningServer[] = [];
  const start = async (options: Partial<Parameters<typeof startMinio>[0]> = {}) => {
    const server = await startMinio({ home, ...options });
    running.push(server);
    return server;
  };
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'lakelet minio '));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
    await rm(home, { recursive: true, force: true });
  });

  it('makes the buckets, keeps what is in them, and leaves no process', async () => {
    const first = await start({ buckets: ['lakelet', 'other'] });
    const client = s3Client(first.settings);
    await client.send(new PutObjectCommand({ Bucket: 'lakelet', Key: 'a', Body: 'kept' }));
    const members = await groupMembers(first.pid);
    expect(await processesNaming(home)).toEqual(expect.arrayContaining(members));
    await first.stop();
    expect(await survivors(members)).toEqual([]);

    const port = Number(new URL(first.settings.AWS_ENDPOINT_URL_S3 ?? '').port);
    const second = await start({ buckets: ['lakelet'], port });
    expect(second.settings).toEqual(first.settings);
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(['lakelet', 'other']);
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'lakelet', Key: 'a' }));
    expect(await Body?.transformToString()).toBe('kept');
    client.destroy();
  });

  it('listens on loopback alone, and refuses wrong keys', async () => {
    const { settings } = await start();
    expect(settings.AWS_ENDPOINT_URL_S3).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const client = s3Client({ ...settings, AWS_SECRET_ACCESS_KEY: 'wrong' });
    await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    client.destroy();
  });

  it('takes another port where the wanted one is taken', async () => {
    const first = await start();
    const taken = new URL(first.settings.AWS_ENDPOINT_URL_S3 ?? '').port;
    const second = await start({ home: join(home, 'second'), port: Number(taken) });
    expect(new URL(second.settings.AWS_ENDPOINT_URL_S3 ?? '').port).not.toBe(taken);
  });

  it('says which bucket can not be made, and leaves no process', async () => {
    await expect(start({ buckets: ['No Bucket!'] })).rejects.toMatchObject({
      code: 'BUCKET_FAILED',
      message: expect.stringContaining('No Bucket!'),
    });
    expect(await survivors(await processesNaming(home))).toEqual([]);
  });
});
