import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '../../localstack/buckets.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';

const root = join(import.meta.dirname, '..', '..');

let home: string;
let server: RunningServer | undefined;
let client: S3Client | undefined;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakelet-init-'));
  // Where docker-compose.yml mounts it, under this LocalStack's root.
  cpSync(join(root, 'localstack', 'init'), join(home, 'etc', 'localstack', 'init'), { recursive: true });
  server = await startLocalStack({ home, services: ['s3'] });
  client = s3Client(server.settings);
}, 240_000);

afterAll(async () => {
  client?.destroy();
  await server?.stop();
  rmSync(home, { recursive: true, force: true });
});

it('makes the bucket when LocalStack is ready', async () => {
  const names = async () => (await client?.send(new ListBucketsCommand({})))?.Buckets?.map(({ Name }) => Name);
  // LocalStack runs it after it has said that it is healthy.
  while (!(await names())?.includes('lakelet')) await sleep(100);
  expect(await names()).toEqual(['lakelet']);
}, 60_000);
