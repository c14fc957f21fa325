import type { DuckDBConnection, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { literal } from './names.ts';

/** A statement's result, as it comes. */
export interface RowStream {
  /** Each once: of columns with one name the later have a number. */
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  /** Batches of columns, never without a row; throws what DuckDB says where the statement fails on the way. */
  readonly batches: AsyncIterable<readonly (readonly DuckDBValue[])[]>;
}

/**
 * Runs a SELECT and streams its rows. A failure in the middle ends a streamed result of `@duckdb/node-api` 1.5 as if it were
 * complete; so a last row of our own follows the statement's, and only a result that has it counts as whole.
 */
export async function streamRows(connection: DuckDBConnection, sql: string, signal?: AbortSignal): Promise<RowStream> {
  // As a constant the statement keeps its own end, whatever follows it (a semicolon, a comment).
  const select = `query(${literal(sql)})`;
  const statement = await connection.prepare(`FROM ${select}`);
  const places = Array.from({ length: statement.columnCount }, (_, at) => at);
  const result = await connection.stream(
    `SELECT *, false FROM ${select} UNION ALL SELECT ${places.map(() => 'NULL, ').join('')}true`,
  );
  return {
    names: result.deduplicatedColumnNames().slice(0, -1),
    types: places.map((at) => statement.columnType(at)),
    batches: batchesOf(connection, select, result, signal),
  };
}

async function* batchesOf(
  connection: DuckDBConnection,
  select: string,
  result: DuckDBResult,
  signal: AbortSignal | undefined,
): AsyncGenerator<DuckDBValue[][]> {
  let whole = false;
  for await (const chunk of result) {
    // By column, which takes the client half the time that rows take.
    const columns = chunk.getColumns();
    whole = columns.pop()?.at(-1) === true;
    if (whole) for (const column of columns) column.pop();
    if (chunk.rowCount > (whole ? 1 : 0)) yield columns;
  }
  if (whole) return;
  // A statement that was interrupted must not run again to say so.
  signal?.throwIfAborted();
  await tellFailure(connection, select);
}

/** Runs the statement once more, all columns of it, for the message that the stream kept back. */
async function tellFailure(connection: DuckDBConnection, select: string): Promise<never> {
  await connection.run(`SELECT max(hash(rows)) FROM ${select} AS rows`);
  throw new Error('DuckDB ended the result before its last row, and gives no reason');
}
