import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '../../localstack/buckets.ts';
import { installLocalStack, startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

let home: string;
let server: RunningServer | undefined;
let client: S3Client | undefined;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakelet-init-'));
  server = await startLocalStack({ home, services: ['s3'] });
  client = s3Client(server.settings);
}, 600_000);

afterAll(async () => {
  client?.destroy();
  await server?.stop();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

/** What LocalStack does in its container when it is ready: its own runner, over the folder that is mounted there. */
async function becomeReady(): Promise<void> {
  const container = join(home, 'container');
  cpSync(join(root, 'localstack', 'init'), join(container, 'etc', 'localstack', 'init'), { recursive: true });
  await run(await installLocalStack(), ['-m', 'localstack.runtime.init', 'READY'], {
    env: {
      PATH: process.env.PATH,
      HOME: container,
      FILESYSTEM_ROOT: container,
      OVERRIDE_IN_DOCKER: '0',
      DISABLE_EVENTS: '1',
      GATEWAY_LISTEN: server?.settings.AWS_ENDPOINT_URL?.replace('http://', ''),
    },
  });
}

it('makes the bucket when LocalStack is ready, and again changes nothing', async () => {
  const names = async () => (await client?.send(new ListBucketsCommand({})))?.Buckets?.map(({ Name }) => Name);
  expect(await names()).toEqual([]);
  for (const _ of ['ready', 'ready again']) {
    await becomeReady();
    expect(await names()).toEqual(['lakelet']);
  }
}, 120_000);
