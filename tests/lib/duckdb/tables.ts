import { randomUUID } from 'node:crypto';
import {
  type CreateOptions,
  type DataType,
  DeltaTable,
  type EngineOption,
  type Row,
  type ScanOptions,
  type StructField,
  type StructType,
  type DeltaTable as Table,
} from '../../../lib/duckdb/delta.ts';

/** A column. */
export function field(name: string, type: DataType, nullable = true): StructField {
  return { name, type, nullable, metadata: {} };
}

/** A struct. */
export function struct(...fields: StructField[]): StructType {
  return { type: 'struct', fields };
}

/** A place in memory that no other test uses. */
export function newPlace(): string {
  return `memory://test-${randomUUID()}`;
}

/** An empty table in memory. */
export function newTable(
  schema: StructType,
  options: Omit<CreateOptions, 'schema'> & EngineOption = {},
): Promise<Table> {
  return DeltaTable.create(newPlace(), { schema, ...options });
}

/** All rows of a scan. */
export async function rowsOf(table: Table, options: ScanOptions = {}): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of table.scan(options)) rows.push(...batch);
  return rows;
}
