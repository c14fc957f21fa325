/**
 * `npm run emulators`: starts the emulators, prints the settings that clients need, then `ready`, and stays until it is
 * told to end.
 *
 * @module
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { type EmulatorsOptions, startEmulators } from './emulators.ts';
import { withLock } from './lock.ts';
import { projectFolder } from './settings.ts';

const USAGE = `npm run emulators [-- --s3 localstack|minio] [--home FOLDER]

Starts LocalStack, MLflow and, with --s3 minio, MinIO, prints the settings to export, then "ready", and stays until
Ctrl-C. Ports: GATEWAY_LISTEN (127.0.0.1:4566), MLFLOW_PORT (5000), MINIO_PORT (9000); where one is taken, another one.
Data and logs lie in .lakelet/emulators, or in the folder that --home names.
`;

/** A wrong option or setting. */
class UsageError extends Error {}

/** Ends all when the terminal asks for it, or closes, or when the script that started this is gone. */
function toldToEnd(): AbortSignal {
  const told = new AbortController();
  const end = () => told.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.on('disconnect', end);
  process.stdout.on('error', end);
  process.stderr.on('error', end);
  return told.signal;
}

function readOptions(args: string[], env: NodeJS.ProcessEnv): EmulatorsOptions | undefined {
  const { s3, home, help } = parse(args);
  if (help === true) return undefined;
  if (s3 !== 'localstack' && s3 !== 'minio') throw new UsageError(`--s3 is localstack or minio, not ${s3}`);
  return {
    s3,
    home: home ?? join(projectFolder(), '.lakelet', 'emulators'),
    gatewayPort: portOf(
      'GATEWAY_LISTEN',
      /^(?:(?:127\.0\.0\.1|localhost)?:)?(\d+)$/.exec(env.GATEWAY_LISTEN || ':4566'),
    ),
    mlflowPort: portOf('MLFLOW_PORT', /^(\d+)$/.exec(env.MLFLOW_PORT || '5000')),
    s3Port: portOf('MINIO_PORT', /^(\d+)$/.exec(env.MINIO_PORT || '9000')),
  };
}

function parse(args: string[]) {
  const options = {
    s3: { type: 'string', default: 'localstack' },
    home: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(messageOf(error).split('\n')[0]);
  }
}

/** LocalStack runs whatever code it is sent, so nothing but loopback is listened on. */
function portOf(name: string, match: RegExpExecArray | null): number {
  const port = Number(match?.[1]);
  if (port >= 1 && port <= 65_535) return port;
  throw new UsageError(`${name} names no port of 127.0.0.1 (${name === 'GATEWAY_LISTEN' ? '127.0.0.1:4566' : '5000'})`);
}

async function serve(options: EmulatorsOptions, signal: AbortSignal): Promise<void> {
  const emulators = await startEmulators({ ...options, signal });
  try {
    const lines = Object.entries(emulators.settings).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
    process.stdout.write(`${lines.join('')}ready\n`);
    options.say?.('the emulators are ready; Ctrl-C ends them');
    const ended = emulators.servers.map(async ({ name, log, ended }) => {
      await ended;
      return new LakeletError('EMULATOR_ENDED', `${name} ended by itself: its output is in ${printable(log, 300)}.`);
    });
    const error = await Promise.race([...ended, aborted(signal)]);
    if (error !== undefined) throw error;
  } finally {
    await emulators.stop();
  }
}

/** A word that a POSIX shell takes as it is. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

async function main(args: string[]): Promise<number> {
  const say = (line: string) => process.stderr.write(`${printable(line, 1000)}\n`);
  const signal = toldToEnd();
  try {
    const options = readOptions(args, process.env);
    if (options === undefined) {
      process.stdout.write(USAGE);
      return 0;
    }
    const { home } = options;
    const refuse = () => {
      throw new LakeletError(
        'EMULATORS_RUNNING',
        `Other emulators have ${printable(home, 300)}: use those, end them, or give these a folder of their own (--home). Where none run, delete ${printable(join(home, 'lock'), 300)}.`,
      );
    };
    await withLock(join(home, 'lock'), () => serve({ ...options, say }, signal), { say: refuse, signal });
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError;
    const code = error instanceof LakeletError ? error.code : usage ? 'USAGE' : 'INTERNAL';
    if (signal.aborted && code === 'CANCELLED') return 0;
    say(`error ${code}: ${messageOf(error)}${usage ? '; npm run emulators -- --help tells more' : ''}`);
    return usage ? 2 : 1;
  }
}

process.exit(await main(process.argv.slice(2)));
