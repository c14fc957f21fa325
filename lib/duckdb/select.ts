import { isRecord } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';
import { literal } from './names.ts';

/** What a SELECT reads, as its text says it. */
export interface Select {
  /** The tables it names, a schema's name before the table's where it gives one. Some may be its own (WITH). */
  readonly tables: readonly (readonly string[])[];
  /** True where it asks which tables there are, or makes up their names as it runs, so that it may read any. */
  readonly any: boolean;
}

/** What {@link readSelect} asks of a DuckDB engine. */
export interface SqlEngine {
  rows(sql: string): Promise<readonly Record<string, unknown>[]>;
}

/** Schemas in which DuckDB tells of its own catalog. */
const CATALOG_SCHEMAS = new Set(['information_schema', 'pg_catalog']);

/**
 * Reads one SELECT-like statement (SELECT, WITH, FROM, VALUES, TABLE, DESCRIBE, SUMMARIZE, SHOW) without running it.
 *
 * @throws LakeletError `QUERY_INVALID` for what is no SQL, `QUERY_NOT_READ_ONLY` for a statement of another kind, or more
 *   than one
 */
export async function readSelect(engine: SqlEngine, sql: string): Promise<Select> {
  const tables: string[][] = [];
  return { any: collect(await parseSelect(engine, sql), tables), tables };
}

/**
 * The tree of one SELECT-like statement, as DuckDB's json_serialize_sql gives it.
 *
 * @throws LakeletError as {@link readSelect}
 */
export async function parseSelect(engine: SqlEngine, sql: string): Promise<Readonly<Record<string, unknown>>> {
  const [row] = await engine.rows(`SELECT json_serialize_sql(${literal(sql)}::VARCHAR)::VARCHAR AS tree`);
  const tree: unknown = JSON.parse(finite(String(row?.tree)));
  if (!isRecord(tree)) throw notReadOnly();
  if (tree.error === true) {
    if (tree.error_type !== 'parser') throw notReadOnly();
    throw new LakeletError('QUERY_INVALID', `The SQL can't be read: ${printable(String(tree.error_message), 300)}`);
  }
  const statements = Array.isArray(tree.statements) ? tree.statements : [];
  if (statements.length === 0) {
    throw new LakeletError('QUERY_INVALID', 'The SQL is empty; give a SELECT, for example "SELECT 1"');
  }
  if (statements.length > 1) throw notReadOnly();
  return tree;
}

/** DuckDB writes a constant beyond all numbers (1e400) as no JSON has it; which number it is makes no difference here. */
function finite(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?(?:Infinity|NaN)/g, (token) => (token.startsWith('"') ? token : 'null'));
}

function notReadOnly(): LakeletError {
  return new LakeletError(
    'QUERY_NOT_READ_ONLY',
    'A query is one statement that only reads: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE or SHOW (PIVOT with its IN list); tables are written with lakelet table append or overwrite',
  );
}

/** Adds the tables named below a node of the statement's tree; true where any table may be meant. */
function collect(node: unknown, tables: string[][]): boolean {
  if (Array.isArray(node)) return node.map((item) => collect(item, tables)).includes(true);
  if (!isRecord(node)) return false;
  const { type, schema_name: schema, table_name: table } = node;
  let any =
    (type === 'SHOW_REF' && !isRecord(node.query)) || (type === 'TABLE_FUNCTION' && readsCatalog(node.function));
  if (type === 'BASE_TABLE' && typeof table === 'string') {
    tables.push(typeof schema === 'string' && schema !== '' ? [schema, table] : [table]);
    any = typeof schema === 'string' && CATALOG_SCHEMAS.has(schema.toLowerCase());
  }
  return Object.values(node).reduce<boolean>((found, item) => collect(item, tables) || found, any);
}

/** True for the table functions that read DuckDB's catalog, or a table whose name is worked out. */
function readsCatalog(call: unknown): boolean {
  return isRecord(call) && /^(query|query_table|(duckdb|pragma)_.*)$/i.test(String(call.function_name));
}
