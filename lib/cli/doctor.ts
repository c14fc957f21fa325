import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../config.ts';
import { messageOf, printable, systemCode } from '../errors.ts';
import { probeFolder } from '../storage/index.ts';
import type { Check } from './doctor-check.ts';
import { checkLake } from './doctor-lake.ts';

const NODE_FLOOR = [22, 18] as const;
const TIMEOUT = 5000;
const execute = promisify(execFile);

/** Tries everything that Lakelet needs on this machine, in the very lake that is configured. Throws nothing. */
export async function examine(config: Config): Promise<readonly Check[]> {
  return [
    checkNode(process.versions.node),
    await checkDuckDB(),
    ...(await checkLake(config.lakeUri)),
    await checkLogs(config),
    await checkMlflow(config.mlflow.trackingUri),
    await checkPython(),
  ];
}

/** Whether a version of Node.js is new enough. */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  const detail = version;
  if (enough) return { name: 'Node.js', status: 'ok', detail };
  return { name: 'Node.js', status: 'fail', detail, advice: `install Node.js ${NODE_FLOOR.join('.')} or newer` };
}

async function checkDuckDB(): Promise<Check> {
  const name = 'DuckDB';
  try {
    const { DuckDBInstance, version } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run('SELECT 1');
    connection.closeSync();
    instance.closeSync();
    return { name, status: 'ok', detail: version() };
  } catch (error) {
    return {
      name,
      status: 'fail',
      detail: printable(messageOf(error)),
      advice: 'install again (npm install) on this very platform; DuckDB needs its binary for it',
    };
  }
}

async function checkLogs(config: Config): Promise<Check> {
  try {
    await probeFolder(config.logsDir);
    return { name: 'logs', status: 'ok', detail: printable(config.logsDir) };
  } catch (error) {
    return {
      name: 'logs',
      status: 'warn',
      detail: describe(error),
      advice: 'make the folder writable, or set LOG_LEVEL=silent',
    };
  }
}

/** Whether the MLflow server answers, where one is set. */
export async function checkMlflow(trackingUri: string | undefined): Promise<Check> {
  const name = 'MLflow';
  if (trackingUri === undefined) {
    return { name, status: 'ok', detail: 'MLFLOW_TRACKING_URI is not set: trainings are recorded beside the lake' };
  }
  const advice = 'start the server or correct MLFLOW_TRACKING_URI; until then trainings are recorded beside the lake';
  try {
    const answer = await fetch(`${trackingUri}/health`, { signal: AbortSignal.timeout(TIMEOUT) });
    await answer.body?.cancel();
    if (answer.ok) return { name, status: 'ok', detail: printable(trackingUri) };
    return { name, status: 'fail', detail: `${printable(trackingUri)} answers ${answer.status}`, advice };
  } catch (error) {
    // fetch says only that it failed; why is its cause.
    const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : error;
    return { name, status: 'fail', detail: `${printable(trackingUri)}: ${describe(cause)}`, advice };
  }
}

async function checkPython(): Promise<Check> {
  const name = 'Python';
  const advice = 'only `lakelet mlflow ui` needs it: install Python 3.10 or newer with venv';
  for (const command of ['python3', 'python']) {
    try {
      const { stdout } = await execute(command, ['-c', 'import sys, venv; print("%d.%d.%d" % sys.version_info[:3])'], {
        timeout: TIMEOUT,
      });
      const version = stdout.trim();
      const [major = 0, minor = 0] = version.split('.').map(Number);
      if (major === 3 && minor >= 10) return { name, status: 'ok', detail: version };
    } catch {
      // Whatever the failure, this command is no usable Python; the next may be, and the answer below says when none was.
    }
  }
  return { name, status: 'warn', detail: 'no Python 3.10 or newer with venv was found', advice };
}

function describe(error: unknown): string {
  const message = messageOf(error);
  return printable(message === '' ? (systemCode(error) ?? 'failed') : message);
}
