import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { DuckDBEngine } from '../duckdb/engine.ts';
import { duckdbFailure } from '../duckdb/failure.ts';
import { identifier } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import type { FeatureColumn } from '../forest/index.ts';

/** Rows that DuckDB holds: those of a table or a view for which a condition is true. */
export interface Relation {
  /** The table or view, as SQL names it. */
  readonly from: string;
  /** The condition, as SQL; `true` takes all rows. */
  readonly where: string;
}

/** A column that a model is to know. */
export interface RelationColumn {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
  /** SQL for its value: of a numeric one a number, of a categorical one anything that has a text. The column itself by default. */
  readonly sql?: string;
}

/** Columns in plain memory, one entry a row in the relation's own order. */
export interface RelationColumns {
  readonly rows: number;
  /** In the order asked for. A missing number is NaN, a missing category −1; the categories are in order of their text. */
  readonly columns: readonly FeatureColumn[];
  /** The other numbers, in the order asked for; NaN where there is none. */
  readonly numbers: readonly Float64Array[];
}

/**
 * Reads columns straight into typed arrays, and numbers besides (`numbers` is SQL), as DuckDB streams them: no row becomes
 * an object, and a column stands in memory once.
 *
 * @throws LakeletError `QUERY_FAILED`, and `ROWS_CHANGED` where the relation had another number of rows a moment before
 */
export async function readRelation(
  engine: DuckDBEngine,
  relation: Relation,
  wanted: readonly RelationColumn[],
  numbers: readonly string[],
): Promise<RelationColumns> {
  const { from, where } = relation;
  const categories: (readonly string[])[] = [];
  for (const [at, column] of wanted.entries()) categories.push(await categoriesOf(engine, relation, column, at));
  const [counted] = await engine.rows(`SELECT count(*) AS n FROM ${from} WHERE ${where}`);
  const rows = Number(counted?.n ?? 0);
  const columns = wanted.map((column, at) => emptyColumn(column, categories[at] ?? [], rows));
  const others = numbers.map(() => new Float64Array(rows));
  const filled = [...columns.map((column) => (column.kind === 'numeric' ? column.values : column.codes)), ...others];
  const selected = [...wanted.map(numberOf), ...numbers.map(orNaN)];
  const read = await fill(engine, `SELECT ${selected.join(', ')} FROM ${from} WHERE ${where}`, filled, rows);
  for (const [at, { kind }] of wanted.entries())
    if (kind === 'categorical') await engine.run(`DROP TYPE ${typeOf(at)}`);
  if (read !== rows) {
    throw new LakeletError(
      'ROWS_CHANGED',
      `${from} had ${rows} rows, then ${read} of them could be read: it is being changed, or the reading was interrupted. Try again.`,
      { retryable: true },
    );
  }
  return { rows, columns, numbers: others };
}

/** The name of the type that numbers the categories of the column at a place. */
function typeOf(at: number): string {
  return identifier(`lakelet_categories_${at}`);
}

/** Lists a column's categories, and makes them a type by which DuckDB itself turns a text into its code. */
async function categoriesOf(
  engine: DuckDBEngine,
  { from, where }: Relation,
  column: RelationColumn,
  at: number,
): Promise<string[]> {
  if (column.kind === 'numeric') return [];
  const text = `CAST(${sqlOf(column)} AS VARCHAR)`;
  const type = typeOf(at);
  await engine.run(
    `CREATE OR REPLACE TEMP TYPE ${type} AS ENUM (SELECT DISTINCT ${text} AS category FROM ${from} WHERE (${where}) AND ${text} IS NOT NULL ORDER BY category)`,
  );
  const rows = await engine.rows(`SELECT unnest(enum_range(NULL::${type}))::VARCHAR AS category`);
  return rows.map(({ category }) => String(category));
}

function sqlOf({ name, sql = identifier(name) }: RelationColumn): string {
  return sql;
}

/** SQL that gives a column as a number and never as NULL, so that it crosses over as plain memory. */
function numberOf(column: RelationColumn, at: number): string {
  if (column.kind === 'numeric') return orNaN(sqlOf(column));
  return `coalesce(CAST(enum_code(CAST(CAST(${sqlOf(column)} AS VARCHAR) AS ${typeOf(at)})) AS INTEGER), -1)`;
}

function orNaN(sql: string): string {
  return `coalesce(CAST(${sql} AS DOUBLE), 'NaN'::DOUBLE)`;
}

function emptyColumn({ name, kind }: RelationColumn, categories: readonly string[], rows: number): FeatureColumn {
  return kind === 'numeric'
    ? { name, kind, values: new Float64Array(rows) }
    : { name, kind, categories, codes: new Int32Array(rows) };
}

/** Streams a SELECT of numbers into columns that hold `rows` of them; how many rows there were. */
async function fill(
  engine: DuckDBEngine,
  sql: string,
  columns: readonly (Float64Array | Int32Array)[],
  rows: number,
): Promise<number> {
  let from = 0;
  try {
    const result = await engine.connection.stream(sql);
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      if (from + chunk.rowCount <= rows) put(columns, chunk, from);
      from += chunk.rowCount;
    }
  } catch (error) {
    throw duckdbFailure(error, 'QUERY_FAILED', "The columns can't be read");
  }
  return from;
}

function put(columns: readonly (Float64Array | Int32Array)[], chunk: DuckDBDataChunk, from: number): void {
  const { rowCount } = chunk;
  for (const [at, column] of columns.entries()) {
    const vector = chunk.getColumnVector(at);
    for (let row = 0; row < rowCount; row++) column[from + row] = Number(vector.getItem(row));
  }
}
