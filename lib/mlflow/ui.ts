import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type PushOptions, pushRecords } from './push.ts';
import { type ServerOptions, startMlflowServer } from './server-process.ts';

/** What `lakelet mlflow ui` needs. */
export interface UiOptions extends Omit<ServerOptions, 'signal'>, Pick<PushOptions, 'evaluateChampion'> {
  /** The records to bring into the server. */
  readonly records: ObjectStore;
  /** Told each step in one line, the server's address among them. */
  readonly say: (message: string) => void;
  /** Ends the server; the signals of Ctrl-C and of a closed terminal do so as well. */
  readonly signal?: AbortSignal;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Starts an MLflow server, brings the kept records into it, once each, and stays until it is told to end; then the
 * server is gone too.
 *
 * @throws LakeletError what {@link startMlflowServer} and {@link pushRecords} throw but `CANCELLED`; `MLFLOW_ENDED`
 *   where the server ended by itself
 */
export async function serveMlflow(options: UiOptions): Promise<void> {
  const { records, say, evaluateChampion } = options;
  const told = new AbortController();
  const end = () => told.abort();
  for (const name of SIGNALS) process.on(name, end);
  const signal = options.signal === undefined ? told.signal : AbortSignal.any([told.signal, options.signal]);
  try {
    const server = await startMlflowServer({ onInstall: say, ...options, signal });
    try {
      say(`MLflow is at ${server.uri}`);
      const { pushed, already, failed } = await pushRecords(records, {
        trackingUri: server.uri.replace('localhost', '127.0.0.1'),
        signal,
        ...(evaluateChampion !== undefined && { evaluateChampion }),
      });
      say(`${pushed.length} trainings brought in, ${already} were there`);
      for (const { key, error } of failed) say(`${printable(key)} was left out: ${error.message}`);
      say('Ctrl-C ends the server');
      await Promise.race([server.ended, aborted(signal)]);
      if (!signal.aborted) {
        throw new LakeletError(
          'MLFLOW_ENDED',
          `The MLflow server ended by itself: its output is in ${printable(server.log)}.`,
        );
      }
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, end);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
