import { type Config, loadConfig, recordsUri } from '../config.ts';
import { DuckDBEngine } from '../duckdb/engine.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';

/** What a step works with. */
export interface Context {
  readonly config: Config;
  /** The lake's root; each table lies below it. */
  readonly lake: ObjectStore;
  /** A DuckDB of the step's own: its views and temporary tables are gone with it. */
  readonly engine: DuckDBEngine;
  /** Where trainings are recorded while there is no MLflow server. */
  readonly records: ObjectStore;
  readonly log: Logger;
  /** Stops the step before its next commit. */
  readonly signal?: AbortSignal;
}

/** What the caller of a step brings. */
export interface ContextOptions {
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
  /** The settings; those of the environment where absent. */
  readonly config?: Config;
}

/** The store in which trainings are recorded while there is no server. */
export function recordsOf(config: Pick<Config, 'root' | 'lakeUri'>): ObjectStore {
  return openStore(recordsUri(config));
}

/**
 * Opens what a step works with, for as long as `use` takes. When the signal ends, DuckDB's statement is interrupted and the
 * step stops before its next commit. Where a commit's fate is not known, `COMMIT_UNKNOWN` is retryable: steps may be repeated.
 *
 * @throws LakeletError `CONFIG_INVALID`, `INVALID_URI`, `INTERRUPTED`, what the engine throws, and what `use` throws
 */
export async function withContext<T>(options: ContextOptions, use: (context: Context) => Promise<T>): Promise<T> {
  const { log, signal, config = loadConfig() } = options;
  const lake = openStore(config.lakeUri);
  if (isOver(signal)) throw interrupted();
  const engine = await DuckDBEngine.open();
  const interrupt = (): void => engine.connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    return await use({
      config,
      lake,
      engine,
      records: recordsOf(config),
      log,
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    throw isOver(signal) ? interrupted(error) : repeatable(error);
  } finally {
    signal?.removeEventListener('abort', interrupt);
    engine.close();
  }
}

/** A step's commits carry its identity, so that it may be done again also where it is not known whether one took effect. */
function repeatable(error: unknown): unknown {
  if (!(error instanceof LakeletError) || error.code !== 'COMMIT_UNKNOWN') return error;
  return new LakeletError(
    error.code,
    `The store failed in the middle of a commit (${printable(messageOf(error.cause), 300)}): start the run again under the same run id once it is back; what was committed is not done twice.`,
    { cause: error, retryable: true },
  );
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function interrupted(cause?: unknown): LakeletError {
  return new LakeletError(
    'INTERRUPTED',
    'The step was stopped before its end; what it committed stays, and the same run id goes on from there.',
    { cause },
  );
}
