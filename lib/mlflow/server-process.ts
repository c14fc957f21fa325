import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeletError, printable, systemCode } from '../errors.ts';
import { portToUse } from '../process/port.ts';
import { type ServerProcess, startServer } from '../process/server.ts';
import { type InstallOptions, mlflowInstall } from './python.ts';

/** How to start a server. */
export interface ServerOptions extends Omit<InstallOptions, 'venv'> {
  /** The folder that keeps the server's database, artifacts and log, and Lakelet's own Python environment for it. */
  readonly home: string;
  /** The port to listen on; 5000 where absent. Where it is taken, a free one. */
  readonly port?: number;
  /** Most milliseconds until the server answers; three minutes where absent. */
  readonly startTimeoutMs?: number;
}

/** A server that runs. */
export interface RunningServer extends ServerProcess {
  /** `http://localhost:<port>`, the address really used. */
  readonly uri: string;
}

/**
 * Starts a real MLflow server on loopback, over an SQLite database and a folder of artifacts, and waits until it
 * answers. It ends with `stop`, and with this process.
 *
 * @throws LakeletError `PYTHON_MISSING`, `MLFLOW_INSTALL_FAILED`, `MLFLOW_START_FAILED`, `CANCELLED`
 */
export async function startMlflowServer(options: ServerOptions): Promise<RunningServer> {
  const { home, signal, startTimeoutMs } = options;
  const artifacts = join(home, 'artifacts');
  await mkdirOrThrow(artifacts);
  const { python } = await mlflowInstall({ ...options, venv: join(home, 'venv') });
  const port = await portToUse(options.port ?? 5000);
  const server = await startServer({
    name: 'The MLflow server',
    failure: 'MLFLOW_START_FAILED',
    command: python,
    args: [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(home, 'mlflow.db')}`],
      ...['--serve-artifacts', '--artifacts-destination', artifacts],
    ],
    env: mlflowServerEnvironment(),
    cwd: home,
    log: join(home, 'server.log'),
    port,
    health: `http://127.0.0.1:${port}/health`,
    healthy: (body) => body === 'OK',
    ...(startTimeoutMs !== undefined && { startTimeoutMs }),
    ...(signal !== undefined && { signal }),
  });
  return { ...server, uri: `http://localhost:${port}` };
}

async function mkdirOrThrow(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new LakeletError(
      'MLFLOW_START_FAILED',
      `The MLflow server could not be started: its folder ${printable(folder, 200)} can't be made (${systemCode(cause) ?? ''}).`,
      { cause },
    );
  }
}

/** Without this process's own MLflow settings, which name a server to log to; nothing is reported to anyone. */
function mlflowServerEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('MLFLOW_'));
  return {
    ...Object.fromEntries(kept),
    MLFLOW_DISABLE_TELEMETRY: 'true',
    DO_NOT_TRACK: 'true',
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    PYTHONUNBUFFERED: '1',
  };
}
