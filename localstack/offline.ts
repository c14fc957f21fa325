import { join } from 'node:path';
import { portToUse, releasePort } from '../lib/process/port.ts';
import { type RunningServer, startEmulator } from './server.ts';
import { projectFolder } from './settings.ts';

/** How to start serverless-offline. */
export interface OfflineOptions {
  /** The HTTP API's port of loopback where it is free, else another one. */
  readonly port: number;
  /** The same of the Lambda API. */
  readonly lambdaPort: number;
  readonly signal?: AbortSignal;
}

/** serverless-offline, which serves. */
export interface OfflineServer extends RunningServer {
  /** Where the HTTP API is, without a slash at its end. */
  readonly httpApi: string;
}

const HOST = '127.0.0.1';

/**
 * Serves the functions of stage `offline`: the Lambda API, and the HTTP API. They work on the lake of LAKE_URI, else on
 * the project's. It ends with `stop`, and with this process.
 *
 * @throws LakeletError `OFFLINE_START_FAILED`, `CANCELLED`, `NO_CHECKOUT`
 */
export async function startOffline({ signal, ...wanted }: OfflineOptions): Promise<OfflineServer> {
  const folder = projectFolder();
  const port = await portToUse(wanted.port);
  const lambdaPort = await portToUse(wanted.lambdaPort);
  const lambda = `http://${HOST}:${lambdaPort}`;
  const command = {
    name: 'serverless-offline',
    failure: 'OFFLINE_START_FAILED',
    command: process.execPath,
    args: [
      // A function that fails after its caller has gone (an asynchronous invocation) must not end the server.
      '--unhandled-rejections=warn',
      join(folder, 'node_modules', 'serverless', 'bin', 'serverless.js'),
      ...['offline', '--stage', 'offline', '--host', HOST, '--noSponsor', '--localEnvironment'],
      ...['--httpPort', String(port), '--lambdaPort', String(lambdaPort)],
    ],
    env: {
      ...process.env,
      SLS_TELEMETRY_DISABLED: '1',
      // Several may serve one checkout.
      BUILD_SUFFIX: `-${port}`,
      EXECUTE_FUNCTION_URL: `${lambda}/2015-03-31/functions/lakelet-offline-execute/invocations`,
      STATE_MACHINE_ARN: '',
    },
    cwd: folder,
    log: join(folder, 'logs', `offline-${port}.log`),
    port,
    // The first function of the API that is asked for is built and loaded.
    health: `http://${HOST}:${port}/openapi.json`,
  };
  try {
    const server = await startEmulator(
      { ...command, ...(signal !== undefined && { signal }) },
      { AWS_ENDPOINT_URL_LAMBDA: lambda },
    );
    const stop = async () => {
      await server.stop();
      releasePort(lambdaPort);
    };
    return { ...server, stop, httpApi: `http://${HOST}:${port}` };
  } catch (error) {
    releasePort(lambdaPort);
    throw error;
  }
}
