/**
 * `npm run emulators`: starts the emulators, prints the settings that clients need, then `ready`, and stays until it is
 * told to end.
 *
 * @module
 */
import { join } from 'node:path';
import { LakeletError, printable } from '../lib/errors.ts';
import { type EmulatorsOptions, startEmulators } from './emulators.ts';
import { withLock } from './lock.ts';
import { projectFolder } from './settings.ts';
import { aborted, optionsOf, runStaying, say, UsageError } from './staying.ts';

const USAGE = `npm run emulators [-- --s3 localstack|minio] [--home FOLDER]

Starts LocalStack, MLflow and, with --s3 minio, MinIO, prints the settings to export, then "ready", and stays until
Ctrl-C. Ports: GATEWAY_LISTEN (127.0.0.1:4566), MLFLOW_PORT (5000), MINIO_PORT (9000); where one is taken, another one.
Data and logs lie in .lakelet/emulators, or in the folder that --home names.
`;

const OPTIONS = {
  s3: { type: 'string', default: 'localstack' },
  home: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

function readOptions(args: string[], env: NodeJS.ProcessEnv): EmulatorsOptions | undefined {
  const { s3, home, help } = optionsOf(args, OPTIONS);
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

/** One start of the emulators for one folder. */
async function serveAlone(options: EmulatorsOptions, signal: AbortSignal): Promise<void> {
  const { home } = options;
  const lock = join(home, 'lock');
  const refuse = () => {
    throw new LakeletError(
      'EMULATORS_RUNNING',
      `Other emulators have ${printable(home, 300)}: use those, end them, or give these a folder of their own (--home). Where none run, delete ${printable(lock, 300)}.`,
    );
  };
  await withLock(lock, () => serve({ ...options, say }, signal), { say: refuse, signal });
}

await runStaying({
  name: 'npm run emulators',
  usage: USAGE,
  read: (args) => readOptions(args, process.env),
  serve: serveAlone,
});
