import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { StageTarget } from '../delta/engine.ts';
import { findField, isRecord, type StructType } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';
import { identifier } from './names.ts';
import { toDuckDB } from './to-duckdb.ts';
import { duckType, sqlType } from './types.ts';

/** How often the appender hands its rows over, so that it does not hold them all. */
const FLUSH_ROWS = 20_480;

/**
 * Loads row objects into a temporary table with the target's columns.
 *
 * @returns the table's name; the caller drops it
 * @throws LakeletError `INVALID_VALUE`, `SCHEMA_MISMATCH`, with the row's number
 */
export async function loadRows(
  connection: DuckDBConnection,
  rows: Iterable<object> | AsyncIterable<object>,
  { schema, signal }: StageTarget,
): Promise<string> {
  const table = `lakelet_source_${randomUUID()}`;
  const stored = schema.fields.filter(({ type }) => type !== 'void');
  const columns = stored.map(({ name, type }) => `${identifier(name)} ${sqlType(type)}`);
  await connection.run(`CREATE TEMP TABLE ${identifier(table)} (${columns.join(', ')})`);
  try {
    const appender = await connection.createAppender(table, 'main', 'temp');
    const append = rowAppender(appender, schema);
    let count = 0;
    for await (const row of rows) {
      append(row, ++count);
      if (count % FLUSH_ROWS === 0) {
        appender.flushSync();
        // Rows that are there already would keep timers and signals waiting until the last one.
        await setImmediate();
        signal?.throwIfAborted();
      }
    }
    appender.closeSync();
    return table;
  } catch (error) {
    await connection.run(`DROP TABLE ${identifier(table)}`);
    throw error;
  }
}

function rowAppender(appender: DuckDBAppender, schema: StructType): (row: unknown, number: number) => void {
  const fields = schema.fields.map((field) => ({ ...field, duck: duckType(field.type) }));
  const spelling = new Map<string, string | undefined>();
  return (row, number) => {
    if (!isRecord(row)) {
      throw new LakeletError('INVALID_VALUE', `Row ${number} of the source is no object; nothing was written`);
    }
    const values = new Map<string, unknown>();
    for (const [name, value] of Object.entries(row)) {
      if (!spelling.has(name)) spelling.set(name, findField(schema, name)?.name);
      const column = spelling.get(name);
      if (column === undefined) {
        throw new LakeletError(
          'SCHEMA_MISMATCH',
          `Row ${number} of the source has ${printable(name, 100)}, which is no column of the table; nothing was written`,
        );
      }
      values.set(column, value);
    }
    for (const { name, type, duck } of fields) {
      const value = toDuckDB(values.get(name), type, [name]);
      // Such a column holds nothing but NULL, and is not stored.
      if (type === 'void') continue;
      if (value === null) appender.appendNull();
      else appender.appendValue(value, duck);
    }
    appender.endRow();
  };
}
