import type { z } from 'zod';
import { DeltaTable } from '../duckdb/delta.ts';
import { DuckDBEngine } from '../duckdb/engine.ts';
import { type LakeTable, lakeTables } from '../duckdb/lake-tables.ts';
import { literal } from '../duckdb/names.ts';
import { parseSelect } from '../duckdb/select.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { openStore } from '../storage/index.ts';
import { LIMITS } from './limits.ts';
import { checkQuery } from './query-check.ts';
import { collectRows } from './rows.ts';
import type { queryAnswer } from './schemas.ts';

/** A query, as the process that runs it gets it. */
export interface QueryTask {
  readonly lakeUri: string;
  readonly sql: string;
  /** Rows wanted at most. */
  readonly limit: number;
  /** How long it may take. */
  readonly seconds: number;
}

/** A query's answer. */
export type QueryAnswer = z.output<typeof queryAnswer>;

/**
 * Runs one SELECT over a lake, in a DuckDB of its own that is locked to the files of the tables it names.
 *
 * @throws LakeletError `QUERY_INVALID`, `QUERY_NOT_READ_ONLY`, `QUERY_REFUSED`, `QUERY_TOO_LARGE`, `TABLE_NOT_FOUND`,
 *   `TABLE_AMBIGUOUS`, `ROW_TOO_LARGE`, and what opening a table throws
 */
export async function runQuery({ lakeUri, sql, limit }: QueryTask): Promise<QueryAnswer> {
  if (sql.includes('\0')) throw new LakeletError('QUERY_INVALID', 'The SQL holds the character NUL; write chr(0)');
  const engine = await DuckDBEngine.open({ threads: LIMITS.queryThreads, memoryLimit: LIMITS.queryMemory });
  try {
    const tables = await attach(engine, lakeUri, sql);
    await engine.lock();
    try {
      // As a constant the statement keeps its own end, whatever it ends with.
      const result = await engine.query(`FROM query(${literal(sql)}) LIMIT ${limit + 1}`);
      const columns = [...result.columns];
      const { rows, truncated } = await collectRows(result.batches, limit, columnBytes(columns));
      return { columns, rows: [...rows], truncated, tables };
    } catch (error) {
      throw queryFailure(error);
    }
  } finally {
    engine.close();
  }
}

/** What the columns' names and types take in the answer: a short query can make them long without end. */
function columnBytes(columns: QueryAnswer['columns']): number {
  const bytes = Buffer.byteLength(JSON.stringify(columns));
  if (bytes <= LIMITS.rowBytes) return bytes;
  throw new LakeletError(
    'ROW_TOO_LARGE',
    `The names and types of the columns have more than ${LIMITS.rowBytes} bytes as JSON; ask for fewer columns, or for shorter names`,
  );
}

/** Makes a view of each table that the statement reads, at one version. */
async function attach(engine: DuckDBEngine, lakeUri: string, sql: string): Promise<QueryAnswer['tables']> {
  const tree = await parseSelect(engine, sql);
  const lake = openStore(lakeUri);
  const known = new Map<string, LakeTable[]>();
  for (const table of await lakeTables(lake)) {
    const key = JSON.stringify(table.name.map((part) => part.toLowerCase()));
    known.set(key, [...(known.get(key) ?? []), table]);
  }
  const attached: { name: string; version: number }[] = [];
  for (const key of checkQuery(tree, (name) => known.has(JSON.stringify(name)))) {
    const [table, twin] = known.get(key) ?? [];
    if (table === undefined) continue;
    const name = table.name.join('.');
    if (twin !== undefined) {
      throw new LakeletError(
        'TABLE_AMBIGUOUS',
        `The lake has both ${printable(name, 200)} and ${printable(twin.name.join('.'), 200)}, which are one name in SQL; GET /tables/{layer}/{name} reads either`,
      );
    }
    const opened = await DeltaTable.open(lake.at(table.path), { engine });
    await engine.view(table.name, opened);
    attached.push({ name, version: opened.version });
  }
  return attached;
}

/** What DuckDB said of the client's statement; of other failures only that there was one. */
function queryFailure(error: unknown): LakeletError {
  if (!(error instanceof LakeletError) || error.code !== 'QUERY_FAILED') {
    return error instanceof LakeletError ? error : new LakeletError('QUERY_FAILED', messageOf(error), { cause: error });
  }
  const [, kind = '', text = ''] = /^The query failed: ([A-Za-z -]+ Error): (.*)$/.exec(error.message) ?? [];
  if (kind === 'Out of Memory Error') return tooLarge(error);
  if (!TOLD.has(kind)) return error;
  return new LakeletError('QUERY_INVALID', `The SQL can't be run: ${kind}: ${text}`, { cause: error });
}

/** Kinds of error that a statement itself can be at fault for, and that name no file. */
const TOLD = new Set([
  'Binder Error',
  'Catalog Error',
  'Constraint Error',
  'Conversion Error',
  'Invalid Input Error',
  'Invalid type Error',
  'Mismatch Type Error',
  'Not implemented Error',
  'Out of Range Error',
  'Parameter Not Allowed Error',
  'Parser Error',
  'Sequence Error',
  'Syntax Error',
  'Value Error',
]);

/** The error of a query that needs more memory than there is for it. */
export function tooLarge(cause?: unknown): LakeletError {
  return new LakeletError(
    'QUERY_TOO_LARGE',
    'The query needs more memory than one over HTTP may use; read fewer rows or columns, or aggregate them',
    { cause },
  );
}
