import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { LOCALSTACK_VERSION, startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { START_TIMEOUT } from './lambdas.ts';
import { isAlive } from './processes.ts';

const root = join(import.meta.dirname, '..', '..');

describe('LocalStack without Docker', () => {
  let home: string;
  const servers: RunningServer[] = [];
  const start = async (options: object = {}) => {
    const server = await startLocalStack({ home, services: ['s3'], ...options });
    servers.push(server);
    return server;
  };
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'lakelet-localstack-'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(home, { recursive: true, force: true });
  });

  it('is of the one version that all of the project names', async () => {
    expect(await readFile(join(root, 'localstack', 'requirements.txt'), 'utf8')).toContain(
      `localstack-core==${LOCALSTACK_VERSION}\n`,
    );
    expect(await readFile(join(root, 'docker-compose.yml'), 'utf8')).toContain(
      `image: localstack/localstack:${LOCALSTACK_VERSION}\n`,
    );
  });

  it(
    'answers the AWS SDK by its settings, for its services alone, and is gone with all it held when it stops',
    async () => {
      const server = await start();
      const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '', ...keys } = server.settings;
      expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const credentials = {
        accessKeyId: keys.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: keys.AWS_SECRET_ACCESS_KEY ?? '',
      };
      const s3 = new S3Client({ endpoint, region, credentials });
      await s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
      const commit = { Bucket: 'lake', Key: '00000000000000000000.json', IfNoneMatch: '*' };
      await s3.send(new PutObjectCommand({ ...commit, Body: 'first' }));
      await expect(s3.send(new PutObjectCommand({ ...commit, Body: 'second' }))).rejects.toMatchObject({
        name: 'PreconditionFailed',
        $metadata: { httpStatusCode: 412 },
      });
      const health = (await (await fetch(`${endpoint}/_localstack/health`)).json()) as {
        version: string;
        services: Record<string, string>;
      };
      expect(health.version).toBe(LOCALSTACK_VERSION);
      expect(health.services).toMatchObject({ s3: 'running', lambda: 'disabled' });

      await server.stop();
      await server.ended;
      expect(isAlive(server.pid)).toBe(false);
      await expect(fetch(endpoint)).rejects.toThrow();
      expect(await readdir(home)).toEqual(['localstack.log']);
      expect(await readFile(server.log, 'utf8')).toContain('Ready.');

      const again = await start({ port: Number(new URL(endpoint).port) });
      expect(again.settings.AWS_ENDPOINT_URL).toBe(endpoint);
      expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
      s3.destroy();
    },
    START_TIMEOUT,
  );

  it('may be started twice over one home, and takes nothing of the other', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    const roots = (await readdir(home)).filter((name) => name.startsWith('run-'));
    expect(roots).toHaveLength(2);
    await one.stop();
    expect((await fetch(`${two.settings.AWS_ENDPOINT_URL}/_localstack/health`)).status).toBe(200);
    expect((await readdir(home)).filter((name) => name.startsWith('run-'))).toHaveLength(1);
  });

  it('removes what one that was killed has left', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await mkdir(join(home, `run-${pid}-abc`, 'tmp'), { recursive: true });
    await start();
    expect(await readdir(home)).toEqual(['localstack.log', expect.stringMatching(`^run-${process.pid}-`)]);
  });

  it('listens on loopback alone', async () => {
    const { settings } = await start();
    const { port } = new URL(settings.AWS_ENDPOINT_URL ?? '');
    const outside = Object.values(networkInterfaces()).flatMap((addresses = []) =>
      addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
    );
    for (const address of ['127.0.0.2', ...outside]) {
      const answer = fetch(`http://${address}:${port}/_localstack/health`, { signal: AbortSignal.timeout(5000) });
      await expect(answer).rejects.toThrow();
    }
  });

  it('takes another port where the wanted one is taken', async () => {
    const other = await listening();
    const { port } = other.address() as { port: number };
    try {
      const server = await start({ port });
      expect(server.settings.AWS_ENDPOINT_URL).not.toBe(`http://127.0.0.1:${port}`);
      expect((await fetch(`${server.settings.AWS_ENDPOINT_URL}/_localstack/health`)).status).toBe(200);
    } finally {
      other.close();
    }
  });

  it('leaves nothing where its start is cancelled', async () => {
    const cancelled = new AbortController();
    const starting = startLocalStack({ home, signal: cancelled.signal });
    setTimeout(() => cancelled.abort(), 300);
    await expect(starting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await processesOf(home)).toEqual([]);
    expect((await readdir(home)).filter((name) => name.startsWith('run-'))).toEqual([]);
  });

  it('knows nothing of the shell that it was started from', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: 'http://127.0.0.1:9', AWS_PROFILE: 'mine', SERVICES: 'sqs', DEBUG: '1' });
    try {
      const server = await start();
      const environment = await readFile(`/proc/${server.pid}/environ`, 'utf8').catch(() => '');
      expect(environment).not.toMatch(/HTTP_PROXY|AWS_PROFILE|DEBUG|SERVICES=sqs/);
      expect((await fetch(`${server.settings.AWS_ENDPOINT_URL}/_localstack/health`)).status).toBe(200);
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    }
  });
});

/** The command lines of the processes that have the folder in their environment, as Linux tells them. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.includes(`HOME=${folder}`)) found.push(await readFile(`/proc/${pid}/cmdline`, 'utf8'));
  }
  return found;
}

function listening(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
