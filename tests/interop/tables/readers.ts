import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DeltaTable } from '../../../lib/duckdb/delta.ts';
import { jsonLine } from '../../../lib/duckdb/json.ts';
import { interpreterOf } from '../../../lib/mlflow/index.ts';

const run = promisify(execFile);
const python = interpreterOf(join(import.meta.dirname, '..', '..', '..', '.venv'));

/** What one reader makes of a table. */
export interface Reading {
  readonly schema: unknown;
  readonly version: number | null;
  readonly rows: readonly unknown[];
}

/** What two readers make of a table at one version. */
export interface Readings {
  readonly deltaRs: Reading;
  /** DuckDB's delta extension; it does not tell the version that it read. */
  readonly duckdb: Reading;
}

/** Reads a folder's table with delta-rs and with DuckDB's delta extension, at each of the versions. */
export async function readElsewhere(
  folder: string,
  versions: readonly (number | 'newest')[] = ['newest'],
): Promise<readonly Readings[]> {
  return script('read.py', [folder, ...versions.map(String)]);
}

/** What is wrong in the statistics of tables' live files, and how much was compared. */
export async function checkStatistics(
  ...folders: readonly string[]
): Promise<{ readonly files: number; readonly columns: number; readonly faults: readonly string[] }> {
  return script('check-stats.py', folders);
}

/** All rows of a table as the command line's JSON, in an order of their own. */
export async function ourRows(table: DeltaTable): Promise<string[]> {
  const rows: string[] = [];
  for await (const batch of table.scan()) rows.push(...batch.map(sortedLine));
  return rows.sort();
}

/** A reader's rows in the same form. */
export function theirRows({ rows }: Reading): string[] {
  return rows.map(sortedLine).sort();
}

/** A row as text that does not depend on the order of its keys. */
function sortedLine(row: unknown): string {
  return JSON.stringify(ordered(JSON.parse(jsonLine(row))));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, ordered(item)]),
  );
}

async function script<T>(name: string, args: readonly string[]): Promise<T> {
  const { stdout } = await run(python, [join(import.meta.dirname, name), ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout);
}
