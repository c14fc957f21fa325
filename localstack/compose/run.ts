// What the service `lakelet` of docker-compose.yml does once the servers are healthy: the bucket, the deployment, one
// execution with its summary. It ends with the exit code of the run.
import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { LakeletError, messageOf, printable } from '../../lib/errors.ts';
import { makeBuckets } from '../buckets.ts';
import { deploy } from '../deploy.ts';
import { projectFolder } from '../settings.ts';

/** The settings that the service needs; docker-compose.yml sets them. */
const NEEDED = [
  'AWS_ENDPOINT_URL',
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'LAKE_URI',
  'MLFLOW_TRACKING_URI',
] as const;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  process.exitCode = await run(process.env);
} catch (error) {
  if (!(error instanceof LakeletError)) throw error;
  say(`error ${error.code}: ${error.message}`);
  process.exitCode = 1;
}

async function run(env: NodeJS.ProcessEnv): Promise<number> {
  const settings = settingsOf(env);
  await makeBuckets(settings, [bucketOf(settings.LAKE_URI ?? '')]);
  const endpoint = await byAddress(settings.AWS_ENDPOINT_URL ?? '');
  await deploy({ settings: { ...settings, AWS_ENDPOINT_URL: endpoint }, say, signal: stop.signal });
  const options = ['ROWS', 'SEED', 'SHARDS'].flatMap((name) =>
    env[name] ? [`--${name.toLowerCase()}`, env[name]] : [],
  );
  const code = await lakelet(['run', '--runner', 'stepfunctions', ...options]);
  if (code === 0 && env.MLFLOW_PAGE) say(`The model is on ${env.MLFLOW_PAGE} as long as the servers run.`);
  return code;
}

function settingsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const missing = NEEDED.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new LakeletError(
      'CONFIG_INVALID',
      `${missing.join(', ')} must be set: docker-compose.yml does that for its service, and the lines that npm run emulators prints do it for a shell.`,
    );
  }
  const ours = Object.entries(env).filter(([name]) => /^(AWS_|MLFLOW_|LAKE_URI$|LOG_LEVEL$)/.test(name));
  return Object.fromEntries(ours.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function bucketOf(lakeUri: string): string {
  const [, bucket] = /^s3:\/\/([^/]+)/.exec(lakeUri) ?? [];
  if (bucket !== undefined) return bucket;
  throw new LakeletError(
    'CONFIG_INVALID',
    `LAKE_URI is ${printable(lakeUri, 100)}: Lambdas share no folder, so give s3://bucket/prefix.`,
  );
}

/** The endpoint by its address: with a name, clients would look for a host of each bucket's own, which nobody has. */
async function byAddress(endpoint: string): Promise<string> {
  const url = URL.parse(endpoint);
  if (url === null || isIP(url.hostname) !== 0) return endpoint;
  try {
    const { address } = await lookup(url.hostname, { family: 4 });
    return `${url.protocol}//${address}${url.port === '' ? '' : `:${url.port}`}`;
  } catch (cause) {
    throw new LakeletError(
      'CONFIG_INVALID',
      `AWS_ENDPOINT_URL is ${printable(endpoint, 100)}, and its host is not known here (${printable(messageOf(cause), 100)}): name a host that runs LocalStack.`,
      { cause },
    );
  }
}

/** Runs the command of this checkout, and returns its exit code; a stop goes on to it, and it says how that ended. */
function lakelet(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [join(projectFolder(), 'bin', 'lakelet.ts'), ...argv], { stdio: 'inherit' });
  const interrupt = () => child.kill('SIGTERM');
  if (stop.signal.aborted) interrupt();
  stop.signal.addEventListener('abort', interrupt, { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
