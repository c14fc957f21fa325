/**
 * `npm run offline`: starts serverless-offline, prints where it serves, then `ready`, and stays until it is told to end.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { startOffline } from './offline.ts';

const USAGE = `npm run offline [-- --port PORT] [--lambda-port PORT]

Serves the HTTP API (port 3000) and Lambda's API (port 3002) on 127.0.0.1 through serverless-offline, over the lake of
LAKE_URI, else the project's, until Ctrl-C. Where a port is taken it is another one.
`;

/** A wrong option. */
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

function readOptions(args: string[]): { port: number; lambdaPort: number } | undefined {
  const { help, port, 'lambda-port': lambdaPort } = parse(args);
  return help === true ? undefined : { port: portOf(port), lambdaPort: portOf(lambdaPort) };
}

function parse(args: string[]) {
  const options = {
    port: { type: 'string', default: '3000' },
    'lambda-port': { type: 'string', default: '3002' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(messageOf(error).split('\n')[0]);
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`${printable(text, 50)} is no port: give a number from 1 to 65535`);
}

async function serve(ports: { port: number; lambdaPort: number }, signal: AbortSignal): Promise<void> {
  const server = await startOffline({ ...ports, signal });
  try {
    const lambda = `export AWS_ENDPOINT_URL_LAMBDA=${server.settings.AWS_ENDPOINT_URL_LAMBDA}`;
    process.stdout.write(`HTTP API ${server.httpApi}\n${lambda}\nready\n`);
    const ended = await Promise.race([server.ended.then(() => true), aborted(signal)]);
    if (ended) {
      const log = printable(server.log, 300);
      throw new LakeletError('OFFLINE_ENDED', `serverless-offline ended by itself: its output is in ${log}.`);
    }
  } finally {
    await server.stop();
  }
}

function aborted(signal: AbortSignal): Promise<false> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
}

async function main(args: string[]): Promise<number> {
  const signal = toldToEnd();
  try {
    const options = readOptions(args);
    if (options === undefined) process.stdout.write(USAGE);
    else await serve(options, signal);
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError;
    const code = error instanceof LakeletError ? error.code : usage ? 'USAGE' : 'INTERNAL';
    if (signal.aborted && code === 'CANCELLED') return 0;
    const more = usage ? '; npm run offline -- --help tells more' : '';
    process.stderr.write(`error ${code}: ${printable(messageOf(error), 1000)}${more}\n`);
    return usage ? 2 : 1;
  }
}

process.exit(await main(process.argv.slice(2)));
