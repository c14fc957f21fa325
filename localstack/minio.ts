import { join, resolve } from 'node:path';
import { makeBuckets } from './buckets.ts';
import { goInstall } from './go.ts';
import { portToUse, type RunningServer, type StartOptions, shellWithout, startEmulator } from './server.ts';
import { projectFolder, serviceSettings } from './settings.ts';

/** The last version before the project was archived; no image of it is served, docker-compose.yml's is an older one. */
const SOURCE = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';

/** How to start MinIO. */
export interface MinioOptions extends StartOptions {
  /** The buckets to make where they are missing. */
  readonly buckets?: readonly string[];
}

/**
 * MinIO's program, built from the Go module proxy into `.emulators/bin` where it is not there yet.
 *
 * @throws LakeletError `GO_MISSING`, `GO_BUILD_FAILED`, `CANCELLED`
 */
export async function installMinio(options: Pick<StartOptions, 'say' | 'signal'> = {}): Promise<string> {
  const { say, signal } = options;
  return goInstall({
    source: SOURCE,
    name: 'minio',
    takes: 'some 4 minutes',
    folder: join(projectFolder(), '.emulators'),
    ...(say !== undefined && { say }),
    ...(signal !== undefined && { signal }),
  });
}

/**
 * Starts MinIO on loopback, over a folder under `home` that keeps its buckets.
 *
 * @returns with settings by the AWS SDK's names: the address for S3 alone, the region and the keys, which MinIO checks
 * @throws LakeletError what {@link installMinio} throws, `MINIO_START_FAILED`, `BUCKET_FAILED`
 */
export async function startMinio(options: MinioOptions): Promise<RunningServer> {
  const { signal, buckets = [] } = options;
  const home = resolve(options.home);
  const program = await installMinio(options);
  const port = await portToUse(options.port);
  const address = `127.0.0.1:${port}`;
  const { command, environment } = await serviceSettings('minio', {
    MINIO_LISTEN: address,
    MINIO_DATA: join(home, 'data'),
  });
  const server = await startEmulator(
    {
      name: 'MinIO',
      failure: 'MINIO_START_FAILED',
      command: program,
      args: command,
      env: { ...shellWithout('MINIO_'), ...environment },
      cwd: home,
      log: join(home, 'minio.log'),
      port,
      health: `http://${address}/minio/health/cluster`,
      ...(signal !== undefined && { signal }),
    },
    {
      AWS_ENDPOINT_URL_S3: `http://${address}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: environment.MINIO_ROOT_USER ?? '',
      AWS_SECRET_ACCESS_KEY: environment.MINIO_ROOT_PASSWORD ?? '',
    },
  );
  try {
    await makeBuckets(server.settings, buckets);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
