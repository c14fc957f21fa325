import type { DuckDBConnection } from '@duckdb/node-api';
import { fieldIds } from '../delta/schema/column-mapping.ts';
import type { StructType } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';
import { fileLiteral, literal } from './names.ts';

/**
 * Refuses to read columns by their names where a file says by its ids that they are others (PROTOCOL.md, "Reader
 * Requirements for Column Mapping"): a column of the schema under another name, or its name with another id.
 *
 * @throws LakeletError `UNSUPPORTED_FEATURE`
 */
export async function checkFieldIds(
  connection: DuckDBConnection,
  files: readonly { readonly path: string }[],
  physical: StructType,
  uri: string,
): Promise<void> {
  if (files.length === 0) return;
  const ids = fieldIds(physical);
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  const paths = files.map(({ path }) => fileLiteral(path)).join(', ');
  const reader = await connection.runAndReadAll(
    `SELECT DISTINCT name, field_id FROM parquet_schema([${paths}]) WHERE field_id IS NOT NULL OR list_contains([${[...ids.keys()].map(literal).join(', ')}], name)`,
  );
  for (const [name, id] of reader.getRows()) {
    const wanted = ids.get(String(name));
    const other = id === null ? undefined : names.get(Number(id));
    if (wanted === undefined ? other === undefined : id !== null && Number(id) === wanted) continue;
    throw new LakeletError(
      'UNSUPPORTED_FEATURE',
      `The table ${printable(uri, 300)} maps its columns by id, and its files have ${printable(String(name), 100)} under another name or without an id, which Lakelet can't read yet; use the client that made the table for this`,
    );
  }
}
