import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectS3, type S3Connection } from '../../lib/storage/s3-client.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { makeBuckets } from '../../localstack/buckets.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import { startMinio } from '../../localstack/minio.ts';
import type { RunningServer } from '../../localstack/server.ts';

/** The bucket that the tests of S3 use. */
export const BUCKET = 'lakelet';

/** How long the first start may take, when servers are installed; milliseconds. */
export const START_TIMEOUT = 600_000;

/** A real S3 server, a client of it, and the settings by which other processes reach it. */
export interface S3Server {
  readonly settings: Readonly<Record<string, string>>;
  readonly connection: S3Connection;
  /** An empty store at a prefix that no one else uses. */
  store(): S3Store;
  stop(): Promise<void>;
}

/** The environment of a process that reaches S3 by these settings alone. */
export function environment(settings: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('AWS_') || name === 'AWS_CA_BUNDLE',
  );
  return { ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])), ...settings };
}

/** A connection made, and its credentials read, while this process's environment holds the settings. */
export async function connectWith(settings: Readonly<Record<string, string>>): Promise<S3Connection> {
  const before = { ...process.env };
  const replace = (env: NodeJS.ProcessEnv): void => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, env);
  };
  replace(environment(settings));
  try {
    const connection = await connectS3();
    // Absent credentials are what some tests are about.
    await connection.client.config.credentials().catch(() => undefined);
    return connection;
  } finally {
    replace(before);
  }
}

/** Starts a real S3 server with an empty bucket. */
export async function startS3(kind: 'MinIO' | 'LocalStack'): Promise<S3Server> {
  const home = await mkdtemp(join(tmpdir(), 'lakelet-s3-'));
  let server: RunningServer | undefined;
  const stop = async (): Promise<void> => {
    await server?.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    server = kind === 'MinIO' ? await startMinio({ home }) : await startLocalStack({ home, services: ['s3'] });
    const { settings } = server;
    await makeBuckets(settings, [BUCKET]);
    const connection = await connectWith(settings);
    const store = (): S3Store =>
      new S3Store({ bucket: BUCKET, prefix: `${randomUUID()}/` }, () => Promise.resolve(connection));
    return { settings, connection, store, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
