import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { MLFLOW_VERSION } from '../mlflow/index.ts';
import type { Outside } from './command.ts';

/** An MLflow server that runs on this machine. */
export interface RunningMlflow {
  /** `http://127.0.0.1:PORT` */
  readonly uri: string;
  /** Resolves when the server has ended, of itself or by {@link RunningMlflow.stop}. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const execute = promisify(execFile);
const PORT = 5000;
const START_SECONDS = 90;

/**
 * Starts MLflow from PyPI on loopback, over a database and a folder below `.lakelet/mlflow-server`; the first time it is
 * installed there. Its port is 5000, or a free one where that is taken (macOS gives it to AirPlay).
 *
 * @param root the project's root
 * @throws LakeletError `PYTHON_MISSING`, `MLFLOW_INSTALL_FAILED`, `MLFLOW_START_FAILED`
 */
export async function startMlflow(root: string, { console, signal }: Outside): Promise<RunningMlflow> {
  const folder = join(root, '.lakelet', 'mlflow-server');
  mkdirSync(join(folder, 'artifacts'), { recursive: true });
  const python = await installedPython(folder, console.err, signal);
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'a');
  const child = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port)],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--artifacts-destination', pathToFileURL(join(folder, 'artifacts')).href],
    ],
    // A group of its own, so that stopping reaches the server's workers too.
    { stdio: ['ignore', log, log], detached: process.platform !== 'win32' },
  );
  const ended = once(child, 'exit').then(() => undefined);
  const stop = async (): Promise<void> => {
    end(child);
    await ended;
  };
  signal.addEventListener('abort', () => end(child), { once: true });
  try {
    console.err.write(`Starting MLflow ${MLFLOW_VERSION} on ${uri} (its log: ${logFile}) …\n`);
    await healthy(uri, child, signal, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { uri, ended, stop };
}

function end(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGTERM');
}

async function healthy(uri: string, child: ChildProcess, signal: AbortSignal, logFile: string): Promise<void> {
  const until = performance.now() + START_SECONDS * 1000;
  while (performance.now() < until && child.exitCode === null && !signal.aborted) {
    try {
      if ((await fetch(`${uri}/health`, { signal: AbortSignal.timeout(2000) })).ok) return;
    } catch {
      // It refuses connections until it is up; the loop's end says when it took too long.
    }
    await sleep(300);
  }
  const what = signal.aborted
    ? 'was stopped'
    : child.exitCode === null
      ? `did not answer in ${START_SECONDS} s`
      : 'ended';
  throw new LakeletError('MLFLOW_START_FAILED', `MLflow ${what} before it was ready; see ${printable(logFile)}`);
}

async function freePort(): Promise<number> {
  for (const port of [PORT, 0]) {
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      server.close();
      await once(server, 'close');
      if (typeof address === 'object' && address !== null) return address.port;
    } catch (error) {
      if (port === 0)
        throw new LakeletError('MLFLOW_START_FAILED', `No port is free: ${messageOf(error)}`, { cause: error });
    }
  }
  throw new LakeletError('MLFLOW_START_FAILED', 'No port is free on 127.0.0.1; stop what uses them');
}

/** The Python of a venv that holds MLflow, made where it is missing. */
async function installedPython(folder: string, err: NodeJS.WritableStream, signal: AbortSignal): Promise<string> {
  const venv = join(folder, 'venv');
  const python = join(venv, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  const stamp = join(venv, '.lakelet-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === MLFLOW_VERSION) return python;
  const machine = await machinePython();
  err.write(`Installing MLflow ${MLFLOW_VERSION} from PyPI into ${venv} (once) …\n`);
  try {
    await execute(machine, ['-m', 'venv', venv], { signal });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `mlflow==${MLFLOW_VERSION}`];
    await execute(python, pip, { signal, maxBuffer: 1 << 26 });
  } catch (error) {
    throw new LakeletError(
      'MLFLOW_INSTALL_FAILED',
      `MLflow can't be installed: ${printable(messageOf(error))}; check that PyPI can be reached`,
      {
        cause: error,
      },
    );
  }
  writeFileSync(stamp, MLFLOW_VERSION);
  return python;
}

async function machinePython(): Promise<string> {
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python']) {
    try {
      await execute(name, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'], {
        timeout: 20_000,
      });
      return name;
    } catch {
      // This name is no Python that will do; the next may be.
    }
  }
  throw new LakeletError(
    'PYTHON_MISSING',
    'An MLflow server needs Python 3.10 or newer with venv, and there is none on PATH: install it, or set MLFLOW_TRACKING_URI to a server elsewhere and run `lakelet mlflow push`',
  );
}
