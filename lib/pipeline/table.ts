import type { StructType } from '../delta/schema/types.ts';
import { DeltaTable } from '../duckdb/delta.ts';
import { LakeletError, printable } from '../errors.ts';
import type { Context } from './context.ts';
import type { Column } from './dataset.ts';

/** A table as a step's summary shows it. */
export interface TableSummary {
  /** Its place in the lake, for example `silver/purchases`. */
  readonly table: string;
  /** Rows of that version; null where a file does not say how many it holds. */
  readonly rows: number | null;
  readonly files: number;
  readonly version: number;
}

/**
 * Opens a table of the lake at its newest version, and makes it first where it is not there.
 *
 * @param path its place in the lake
 */
export async function openOrCreate(
  { lake, engine }: Context,
  path: string,
  columns: readonly Column[],
): Promise<DeltaTable> {
  const store = lake.at(path);
  try {
    return await DeltaTable.open(store, { engine });
  } catch (error) {
    if (!(error instanceof LakeletError && error.code === 'TABLE_NOT_FOUND')) throw error;
  }
  try {
    return await DeltaTable.create(store, { schema: schemaOf(columns), engine });
  } catch (error) {
    // Another run made it in the same moment.
    if (!(error instanceof LakeletError && error.code === 'TABLE_EXISTS')) throw error;
  }
  return DeltaTable.open(store, { engine });
}

/**
 * Opens a table that an earlier step should have made, at its newest version.
 *
 * @throws LakeletError `TABLE_NOT_FOUND`, which names the step to run first
 */
export async function openInput({ lake, engine }: Context, path: string, madeBy: string): Promise<DeltaTable> {
  try {
    return await DeltaTable.open(lake.at(path), { engine });
  } catch (error) {
    if (!(error instanceof LakeletError && error.code === 'TABLE_NOT_FOUND')) throw error;
    throw new LakeletError(
      'TABLE_NOT_FOUND',
      `The lake ${printable(lake.uri, 200)} has no table ${printable(path, 100)}: run ${madeBy} first, which makes it.`,
      { cause: error },
    );
  }
}

/** What a summary says of a table, at the version that it was loaded at. */
export async function summarize(path: string, table: DeltaTable): Promise<TableSummary> {
  const files = await table.files();
  const counts = files.map(({ numRecords }) => numRecords);
  return {
    table: path,
    rows: counts.reduce<number | null>((sum, n) => (sum === null || n === undefined ? null : sum + n), 0),
    files: files.length,
    version: table.version,
  };
}

/** Columns as Delta's schema; every column may be null. */
export function schemaOf(columns: readonly Column[]): StructType {
  return { type: 'struct', fields: columns.map(({ name, type }) => ({ name, type, nullable: true, metadata: {} })) };
}
