/**
 * `npm run offline`: starts serverless-offline, prints where it serves, then `ready`, and stays until it is told to end.
 *
 * @module
 */
import { LakeletError, printable } from '../lib/errors.ts';
import { startOffline } from './offline.ts';
import { aborted, optionsOf, runStaying, UsageError } from './staying.ts';

const USAGE = `npm run offline [-- --port PORT] [--lambda-port PORT]

Serves the HTTP API (port 3000) and Lambda's API (port 3002) on 127.0.0.1 through serverless-offline, over the lake of
LAKE_URI, else the project's, until Ctrl-C. Where a port is taken it is another one.
`;

const OPTIONS = {
  port: { type: 'string', default: '3000' },
  'lambda-port': { type: 'string', default: '3002' },
  help: { type: 'boolean', short: 'h' },
} as const;

function readOptions(args: string[]): { port: number; lambdaPort: number } | undefined {
  const { help, port, 'lambda-port': lambdaPort } = optionsOf(args, OPTIONS);
  return help === true ? undefined : { port: portOf(port), lambdaPort: portOf(lambdaPort) };
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
    if (ended === true) {
      const log = printable(server.log, 300);
      throw new LakeletError('OFFLINE_ENDED', `serverless-offline ended by itself: its output is in ${log}.`);
    }
  } finally {
    await server.stop();
  }
}

await runStaying({ name: 'npm run offline', usage: USAGE, read: readOptions, serve });
