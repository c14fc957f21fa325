import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LakeletError } from '../lib/errors.ts';
import { makeBuckets } from './buckets.ts';
import { startLocalStack } from './localstack.ts';
import { startMinio } from './minio.ts';
import { startMlflow } from './mlflow.ts';
import type { RunningServer, StartOptions } from './server.ts';

/** The one bucket, which holds the lake and the models. */
export const BUCKET = 'lakelet';

/** Which emulators to start, and where. */
export interface EmulatorsOptions extends Omit<StartOptions, 'port'> {
  /** Whose S3 holds the bucket: LocalStack's, which is empty at each start, or MinIO's, which keeps it under `home`. */
  readonly s3: 'localstack' | 'minio';
  /** Ports to listen on, each another one where it is taken: LocalStack's, 4566 where absent. */
  readonly gatewayPort?: number;
  /** MLflow's, 5000 where absent. */
  readonly mlflowPort?: number;
  /** MinIO's, 9000 where absent. */
  readonly s3Port?: number;
}

/** Emulators that run. */
export interface Emulators {
  /** Environment variables by which Lakelet and other clients reach them. */
  readonly settings: Readonly<Record<string, string>>;
  readonly servers: readonly RunningServer[];
  /** Ends all of them. */
  stop(): Promise<void>;
}

/**
 * Starts LocalStack, MinIO where asked for, and MLflow, whose artifacts are in the lake's bucket, and waits until all
 * are ready. They end with `stop`, and with this process.
 *
 * @throws LakeletError what the starters throw; then none of them is left
 */
export async function startEmulators(options: EmulatorsOptions): Promise<Emulators> {
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([failed.signal, options.signal]);
  const { localstack, s3, mlflow } = starts({ ...options, signal });
  const starting = options.s3 === 'minio' ? [localstack, s3, mlflow] : [localstack, mlflow];
  for (const one of starting) one.catch(() => failed.abort());
  const outcomes = await Promise.allSettled(starting);
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (errors.length > 0) {
    await stop();
    throw errors.find((error) => !isCancelled(error)) ?? errors[0];
  }
  return { settings: settingsOf(await localstack, await s3, await mlflow), servers, stop };
}

/** What can start side by side does; MLflow waits for the bucket. */
function starts(options: EmulatorsOptions): Record<'localstack' | 's3' | 'mlflow', Promise<RunningServer>> {
  const { gatewayPort = 4566, mlflowPort = 5000, s3Port = 9000, ...shared } = options;
  const home = resolve(options.home);
  const localstack = startLocalStack({ ...shared, home: join(home, 'localstack'), port: gatewayPort });
  const s3 = options.s3 === 'minio' ? startMinio({ ...shared, home: join(home, 'minio'), port: s3Port }) : localstack;
  const mlflow = s3.then(async ({ settings }) => {
    await makeBuckets(settings, [BUCKET]);
    // One database for each S3: its runs and models name artifacts there.
    const database = join(home, options.s3, 'mlflow');
    if (options.s3 === 'localstack') await rm(database, { recursive: true, force: true });
    const artifacts = `s3://${BUCKET}/mlflow`;
    return startMlflow({ ...shared, home: database, port: mlflowPort, artifacts, settings });
  });
  return { localstack, s3, mlflow };
}

function settingsOf(localstack: RunningServer, s3: RunningServer, mlflow: RunningServer): Record<string, string> {
  const aws: Record<string, string> = { ...localstack.settings, ...s3.settings };
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '' } = aws;
  return {
    // Also where S3 is LocalStack's: a shell may still have the address of an earlier MinIO.
    AWS_ENDPOINT_URL_S3: AWS_ENDPOINT_URL,
    ...aws,
    // Python's boto3 knows the region by this name; deltalake speaks plain HTTP only when told.
    AWS_DEFAULT_REGION: AWS_REGION,
    AWS_ALLOW_HTTP: 'true',
    ...mlflow.settings,
    LAKE_URI: `s3://${BUCKET}/lake`,
  };
}

function isCancelled(error: unknown): boolean {
  return error instanceof LakeletError && error.code === 'CANCELLED';
}
