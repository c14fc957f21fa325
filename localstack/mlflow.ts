import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MLFLOW_VERSION } from '../lib/mlflow/index.ts';
import { hasPackages, interpreterOf } from '../lib/mlflow/python.ts';
import { pythonVenv } from './python.ts';
import { portToUse, type RunningServer, type StartOptions, shellWithout, startEmulator } from './server.ts';
import { projectFolder, serviceSettings } from './settings.ts';

const REQUIREMENTS = join(import.meta.dirname, 'mlflow-requirements.txt');

/** How to start MLflow. */
export interface MlflowOptions extends StartOptions {
  /** Where its artifacts go: `s3://bucket/prefix`. The bucket must be there. */
  readonly artifacts: string;
  /** The S3 server's settings, by the AWS SDK's names. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * A Python that has the pinned MLflow and boto3: the tests' where that is there, else a virtual environment under
 * `.emulators/mlflow`, made where it is missing.
 *
 * @throws LakeletError `PYTHON_MISSING`, `PYTHON_INSTALL_FAILED`, `CANCELLED`
 */
export async function installMlflow(options: Pick<StartOptions, 'say' | 'signal'> = {}): Promise<string> {
  const { say, signal } = options;
  const tests = interpreterOf(join(projectFolder(), '.venv'));
  if (await hasPackages(tests, await pinsOf(['mlflow', 'boto3']))) return tests;
  return pythonVenv({
    folder: join(projectFolder(), '.emulators', 'mlflow'),
    requirements: REQUIREMENTS,
    what: `MLflow ${MLFLOW_VERSION}`,
    python: { from: [3, 10] },
    ...(say !== undefined && { say }),
    ...(signal !== undefined && { signal }),
  });
}

/**
 * Starts a real MLflow server on loopback, over an SQLite database in `home`. Artifacts go through the server to S3, so
 * that its clients need no access to the bucket.
 *
 * @returns with the setting `MLFLOW_TRACKING_URI`
 * @throws LakeletError what {@link installMlflow} throws, `MLFLOW_START_FAILED`
 */
export async function startMlflow(options: MlflowOptions): Promise<RunningServer> {
  const { artifacts, settings, signal } = options;
  const home = resolve(options.home);
  const python = await installMlflow(options);
  const port = await portToUse(options.port);
  const { command, environment } = await serviceSettings('mlflow', {
    MLFLOW_LISTEN_HOST: '127.0.0.1',
    MLFLOW_LISTEN_PORT: String(port),
    MLFLOW_PORT: String(port),
    MLFLOW_DATA: home,
    MLFLOW_ARTIFACTS: artifacts,
    LAKE_S3: settings.AWS_ENDPOINT_URL_S3 ?? settings.AWS_ENDPOINT_URL ?? '',
  });
  return startEmulator(
    {
      name: 'MLflow',
      failure: 'MLFLOW_START_FAILED',
      command: python,
      args: ['-m', ...command],
      env: { ...shellWithout('MLFLOW_', 'AWS_'), ...environment, ...settings },
      cwd: home,
      log: join(home, 'mlflow.log'),
      port,
      health: `http://127.0.0.1:${port}/health`,
      healthy: (body) => body === 'OK',
      ...(signal !== undefined && { signal }),
    },
    { MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}` },
  );
}

async function pinsOf(names: readonly string[]): Promise<Record<string, string>> {
  const pins = (await readFile(REQUIREMENTS, 'utf8')).split('\n').map((line) => line.split('=='));
  return Object.fromEntries(pins.flatMap(([name, version]) => (names.includes(name ?? '') ? [[name, version]] : [])));
}
