import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakeletError, printable, systemCode } from '../errors.ts';
import { type InstallOptions, mlflowInstall } from './python.ts';

/** How to start a server. */
export interface ServerOptions extends Omit<InstallOptions, 'venv'> {
  /** The folder that keeps the server's database, artifacts and log, and Lakelet's own Python environment for it. */
  readonly home: string;
  /** The port to listen on; 5000 where absent. Where it is taken, a free one. */
  readonly port?: number;
  /** Most milliseconds until the server answers; two minutes where absent. */
  readonly startTimeoutMs?: number;
}

/** A server that runs. */
export interface RunningServer {
  /** `http://localhost:<port>`, the address really used. */
  readonly uri: string;
  readonly pid: number;
  /** The file that the server's output goes to. */
  readonly log: string;
  /** Settled when the server has ended, by whatever cause. */
  readonly ended: Promise<void>;
  /** Ends the server and all processes that it started; returns when they are gone. */
  stop(): Promise<void>;
}

/**
 * Starts a real MLflow server on loopback, over an SQLite database and a folder of artifacts, and waits until it
 * answers. It ends with `stop`, and with this process where that exits by itself.
 *
 * @throws LakeletError `PYTHON_MISSING`, `MLFLOW_INSTALL_FAILED`, `MLFLOW_START_FAILED`, `CANCELLED`
 */
export async function startMlflowServer(options: ServerOptions): Promise<RunningServer> {
  const { home, signal } = options;
  const artifacts = join(home, 'artifacts');
  await mkdirOrThrow(artifacts);
  const { python } = await mlflowInstall({ ...options, venv: join(home, 'venv') });
  const port = await portToUse(options.port ?? 5000);
  const log = join(home, 'server.log');
  const child = await spawnServer(python, port, home, artifacts, log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const onExit = () => killTree(child, 'SIGKILL');
  process.once('exit', onExit);
  const stop = async () => {
    await stopTree(child, ended);
    process.off('exit', onExit);
  };
  try {
    await waitUntilHealthy(port, ended, log, options.startTimeoutMs ?? 120_000, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { uri: `http://localhost:${port}`, pid: child.pid ?? 0, log, ended, stop };
}

async function mkdirOrThrow(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw startFailed(`its folder ${printable(folder, 200)} can't be made (${systemCode(cause) ?? ''})`, cause);
  }
}

async function spawnServer(
  python: string,
  port: number,
  home: string,
  artifacts: string,
  log: string,
): Promise<ChildProcess> {
  const output = await open(log, 'w');
  const args = ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  args.push(
    '--backend-store-uri',
    `sqlite:///${join(home, 'mlflow.db')}`,
    '--serve-artifacts',
    '--artifacts-destination',
    artifacts,
  );
  try {
    // A group of its own, so that the workers that the server starts can be ended with it.
    return spawn(python, args, {
      cwd: home,
      env: serverEnvironment(),
      stdio: ['ignore', output.fd, output.fd],
      detached: process.platform !== 'win32',
    });
  } finally {
    await output.close();
  }
}

/** Without this process's own MLflow settings, which name a server to log to; nothing is reported to anyone. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('MLFLOW_'));
  return {
    ...Object.fromEntries(kept),
    MLFLOW_DISABLE_TELEMETRY: 'true',
    DO_NOT_TRACK: 'true',
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    PYTHONUNBUFFERED: '1',
  };
}

async function waitUntilHealthy(
  port: number,
  ended: Promise<void>,
  log: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let over = false;
  ended.then(() => {
    over = true;
  });
  const until = Date.now() + timeoutMs;
  while (Date.now() < until) {
    if (signal?.aborted === true)
      throw new LakeletError('CANCELLED', 'The start of the MLflow server was cancelled.', { cause: signal.reason });
    if (over) throw startFailed(`it ended at once: ${printable(await lastLine(log), 300)}`);
    if (await isHealthy(port)) return;
    await sleep(200);
  }
  throw startFailed(`it did not answer within ${timeoutMs / 1000} s; its output is in ${printable(log, 200)}`);
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5000) });
    return (await response.text()) === 'OK';
  } catch {
    // Not yet: the caller tries again until its time is over.
    return false;
  }
}

async function lastLine(log: string): Promise<string> {
  return (await readFile(log, 'utf8')).trim().split('\n').at(-1) ?? '';
}

/** The port asked for where nobody has it on loopback by either name (macOS: AirPlay has 5000), else a free one. */
async function portToUse(wanted: number): Promise<number> {
  const taken = (await answers('127.0.0.1', wanted)) || (await answers('::1', wanted));
  const port = taken ? undefined : await canListen(wanted);
  return port ?? (await canListen(0)) ?? wanted;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('error', () => done(false));
    socket.connect(port, host, () => done(true));
  });
}

function canListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

async function stopTree(child: ChildProcess, ended: Promise<void>): Promise<void> {
  killTree(child, 'SIGTERM');
  const gone = await Promise.race([ended.then(() => true), sleep(10_000, false, { ref: false })]);
  // What is left of the group goes too, also where its first process ended in time.
  killTree(child, 'SIGKILL');
  if (!gone) await ended;
}

function killTree(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

function startFailed(why: string, cause?: unknown): LakeletError {
  return new LakeletError('MLFLOW_START_FAILED', `The MLflow server could not be started: ${why}.`, { cause });
}
