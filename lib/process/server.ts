import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';
import { type ProcessGroup, startGroup } from './group.ts';
import { releasePort } from './port.ts';

/** What to start, and how to tell that it is ready. */
export interface ServerCommand {
  /** The server's name in messages, for example `MLflow`. */
  readonly name: string;
  /** The code of the error where it does not start, for example `MLFLOW_START_FAILED`. */
  readonly failure: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the server. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working folder, made where it is missing. */
  readonly cwd: string;
  /** The file that the server's output goes to; it is written anew. */
  readonly log: string;
  /** The port of loopback that it listens on, as `portToUse` took it; given up when the server has ended. */
  readonly port: number;
  /** The address that answers with a status of 200 when the server is ready. */
  readonly health: string;
  /** What the answer has to be beside that; nothing where absent. */
  readonly healthy?: (body: string) => boolean;
  /** Most milliseconds until the server is ready; three minutes where absent. */
  readonly startTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A server that runs. */
export interface ServerProcess extends ProcessGroup {
  /** Its name in messages. */
  readonly name: string;
  /** The file that the server's output goes to. */
  readonly log: string;
}

/**
 * Starts a server in a process group of its own and waits until it is ready. It ends with `stop`, and with this
 * process, however that ends.
 *
 * @throws LakeletError `failure`'s code, `CANCELLED`; then nothing of the server is left
 */
export async function startServer(options: ServerCommand): Promise<ServerProcess> {
  const { name, log, port } = options;
  const group = await spawnServer(options);
  group.ended.then(() => releasePort(port));
  try {
    await waitUntilHealthy(options, group.ended);
  } catch (error) {
    await group.stop();
    throw error;
  }
  return { ...group, name, log };
}

async function spawnServer(options: ServerCommand): Promise<ProcessGroup> {
  const { command, args, env, cwd, log } = options;
  try {
    await mkdir(cwd, { recursive: true });
    await mkdir(dirname(log), { recursive: true });
    const output = await open(log, 'w');
    try {
      return await startGroup(command, args, { cwd, env, stdio: ['ignore', output.fd, output.fd] });
    } finally {
      await output.close();
    }
  } catch (cause) {
    releasePort(options.port);
    throw failed(options, `its command or its folders can't be used (${systemCode(cause) ?? messageOf(cause)})`, cause);
  }
}

async function waitUntilHealthy(options: ServerCommand, ended: Promise<void>): Promise<void> {
  const { name, log, signal, startTimeoutMs = 180_000 } = options;
  let over = false;
  ended.then(() => {
    over = true;
  });
  const until = Date.now() + startTimeoutMs;
  while (Date.now() < until) {
    if (signal?.aborted === true)
      throw new LakeletError('CANCELLED', `The start of ${name} was cancelled.`, { cause: signal.reason });
    if (over) throw failed(options, `it ended at once: ${await lastLine(log)}`);
    if ((await isHealthy(options)) && !over) return;
    await sleep(200);
  }
  throw failed(options, `it did not answer within ${startTimeoutMs / 1000} s`);
}

async function isHealthy({ health, healthy }: ServerCommand): Promise<boolean> {
  try {
    const response = await fetch(health, { signal: AbortSignal.timeout(5000) });
    const body = await response.text();
    return response.status === 200 && (healthy?.(body) ?? true);
  } catch {
    // Not yet: the caller tries again until its time is over.
    return false;
  }
}

async function lastLine(log: string): Promise<string> {
  return printable((await readFile(log, 'utf8')).trim().split('\n').at(-1) ?? '', 300);
}

function failed({ name, failure, log }: ServerCommand, why: string, cause?: unknown): LakeletError {
  const message = `${name} could not be started: ${why}; its output is in ${printable(log, 300)}.`;
  return new LakeletError(failure, message, { cause });
}
