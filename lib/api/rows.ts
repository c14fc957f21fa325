import { jsonValue } from '../duckdb/json.ts';
import { LakeletError } from '../errors.ts';
import { LIMITS } from './limits.ts';

/** A row as JSON has it. */
export type JsonRow = Readonly<Record<string, unknown>>;

/** Rows that fit into an answer. */
export interface CollectedRows {
  readonly rows: readonly JsonRow[];
  /** True where there are more. */
  readonly truncated: boolean;
}

/**
 * The first rows of a result, as many as an answer may have by their number and by their bytes as JSON.
 *
 * @param bytesBefore what else the answer holds, such as the names of the columns
 * @throws LakeletError `ROW_TOO_LARGE` where not even the first one fits, and what the result throws
 */
export async function collectRows(
  batches: AsyncIterable<readonly Readonly<Record<string, unknown>>[]>,
  limit: number,
  bytesBefore = 0,
): Promise<CollectedRows> {
  const rows: JsonRow[] = [];
  let bytes = bytesBefore;
  for await (const batch of batches) {
    for (const row of batch) {
      if (rows.length === limit) return { rows, truncated: true };
      const json = jsonRow(row);
      bytes += Buffer.byteLength(JSON.stringify(json));
      if (bytes > LIMITS.rowBytes) {
        if (rows.length > 0) return { rows, truncated: true };
        throw new LakeletError(
          'ROW_TOO_LARGE',
          `The first row has more than ${LIMITS.rowBytes} bytes as JSON; ask for fewer columns, or for parts of its values`,
        );
      }
      rows.push(json);
    }
  }
  return { rows, truncated: false };
}

function jsonRow(row: Readonly<Record<string, unknown>>): JsonRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonValue(value)]));
}
