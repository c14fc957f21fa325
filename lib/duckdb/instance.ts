import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { lambdaLimits } from './limits.ts';

/** Settings of an engine. */
export interface EngineOptions {
  /** How many threads DuckDB uses; absent: all cores, in a Lambda as many as its memory buys. */
  readonly threads?: number;
  /**
   * For example `2GB`; absent: DuckDB's own default (80 % of the memory), in a Lambda half of its memory. What does not fit
   * spills to disk.
   */
  readonly memoryLimit?: string;
  /** Where passing files and copies of remote files are kept; absent: the system's temporary folder (`TMPDIR`). */
  readonly tempDirectory?: string;
}

/** An in-memory database that loads no extensions, and writes passing files below `folder` alone. */
export function openInstance(folder: string, options: EngineOptions): Promise<DuckDBInstance> {
  const { threads, memoryLimit } = { ...lambdaLimits(process.env), ...options };
  return DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...foldersIn(folder),
    ...(threads !== undefined && { threads: String(threads) }),
    ...(memoryLimit !== undefined && { memory_limit: memoryLimit }),
  });
}

/** Where DuckDB may write; its own choices are the working folder and the home folder, of which a Lambda has none. */
function foldersIn(folder: string): Record<string, string> {
  return {
    temp_directory: join(folder, 'spill'),
    secret_directory: join(folder, 'secrets'),
    extension_directory: join(folder, 'extensions'),
    ...(process.env.HOME === undefined && { home_directory: folder }),
  };
}

/** A connection in the time zone UTC. */
export async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return connection;
}
