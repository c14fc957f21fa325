/**
 * What the starters of LocalStack, MinIO and MLflow have in common.
 *
 * @module
 */
import { type ServerCommand, type ServerProcess, startServer } from '../lib/process/server.ts';

export { portToUse } from '../lib/process/port.ts';

/** An emulator that runs. */
export interface RunningServer extends ServerProcess {
  /** Environment variables by which clients (the AWS SDK, MLflow) reach it. */
  readonly settings: Readonly<Record<string, string>>;
}

/** How to start an emulator. */
export interface StartOptions {
  /** The folder of its data and its log. */
  readonly home: string;
  /** The port of loopback to listen on where it is free, else another one; any free one where absent. */
  readonly port?: number;
  /** Told the steps that take long, one line each. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Starts a server and waits until it is ready, see {@link startServer}.
 *
 * @param settings by which clients reach it
 * @throws LakeletError `failure`'s code, `CANCELLED`
 */
export async function startEmulator(
  command: ServerCommand,
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  return { ...(await startServer(command)), settings };
}

/**
 * The shell's environment without its settings for other servers and clients of that kind.
 *
 * @param prefixes what the names to leave out begin with
 */
export function shellWithout(...prefixes: readonly string[]): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix)));
  return Object.fromEntries(kept);
}
