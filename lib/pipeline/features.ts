import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { DuckDBEngine } from '../duckdb/engine.ts';
import { identifier, literal } from '../duckdb/names.ts';
import type { FeatureColumn } from '../forest/index.ts';
import type { Dataset, Feature } from './dataset.ts';

/** Of so many rows one is held out of the training. */
export const ONE_IN = 5;

/** What a model learns from and is scored on, column by column. */
export interface FeatureTable {
  readonly columns: readonly FeatureColumn[];
  readonly target: Float64Array;
  /** The rows to learn from, ascending. */
  readonly train: Uint32Array;
  /** The rows to score on, ascending. */
  readonly heldOut: Uint32Array;
}

/**
 * Reads the model's features and target from the view `silver`, straight into typed arrays, in the table's own order.
 * Rows without a target are left out. Whether a row is held out depends on its key alone (MD5, so on no machine or
 * version), so a purchase stays on its side however the table grows. A missing number is NaN, a missing category −1.
 */
export async function readFeatures(engine: DuckDBEngine, dataset: Dataset): Promise<FeatureTable> {
  const { features, target } = dataset.model;
  const categories = await Promise.all(features.map((feature) => categoriesOf(engine, feature)));
  const present = `isfinite(CAST(${identifier(target)} AS DOUBLE))`;
  const [counted] = await engine.rows(`SELECT count(*) AS n FROM silver WHERE ${present}`);
  const rows = Number(counted?.n ?? 0);
  const numbers = [
    `CAST(${identifier(target)} AS DOUBLE)`,
    `CAST(('0x' || md5(CAST(${identifier(dataset.identity.key)} AS VARCHAR))[1:8])::UINTEGER % ${ONE_IN} AS INTEGER)`,
    ...features.map((feature, at) => numberOf(feature, categories[at] ?? [])),
  ];
  const values = new Float64Array(rows);
  const parts = new Int32Array(rows);
  const columns = features.map((feature, at) => emptyColumn(feature, categories[at] ?? [], rows));
  const filled = [
    values,
    parts,
    ...columns.map((column) => (column.kind === 'numeric' ? column.values : column.codes)),
  ];
  const result = await engine.connection.run(`SELECT ${numbers.join(', ')} FROM silver WHERE ${present}`);
  let from = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    fill(filled, chunk, from);
    from += chunk.rowCount;
  }
  return {
    columns,
    target: values,
    train: rowsWhere(parts, (part) => part !== 0),
    heldOut: rowsWhere(parts, isHeldOut),
  };
}

const isHeldOut = (part: number): boolean => part === 0;

async function categoriesOf(engine: DuckDBEngine, { name, kind }: Feature): Promise<string[]> {
  if (kind === 'numeric') return [];
  const column = identifier(name);
  const rows = await engine.rows(
    `SELECT DISTINCT CAST(${column} AS VARCHAR) AS category FROM silver WHERE ${column} IS NOT NULL ORDER BY ALL`,
  );
  return rows.map(({ category }) => String(category));
}

/** SQL that gives a feature as a number and never as NULL, so that a column crosses over as plain memory. */
function numberOf({ name, kind }: Feature, categories: readonly string[]): string {
  const column = identifier(name);
  if (kind === 'numeric') return `coalesce(CAST(${column} AS DOUBLE), 'NaN'::DOUBLE)`;
  if (categories.length === 0) return '-1::INTEGER';
  const words = categories.map(literal).join(', ');
  return `coalesce(CAST(enum_code(CAST(CAST(${column} AS VARCHAR) AS ENUM(${words}))) AS INTEGER), -1)`;
}

function emptyColumn({ name, kind }: Feature, categories: readonly string[], rows: number): FeatureColumn {
  return kind === 'numeric'
    ? { name, kind, values: new Float64Array(rows) }
    : { name, kind, categories, codes: new Int32Array(rows) };
}

function fill(columns: readonly (Float64Array | Int32Array)[], chunk: DuckDBDataChunk, from: number): void {
  const { rowCount } = chunk;
  for (const [at, column] of columns.entries()) {
    const vector = chunk.getColumnVector(at);
    for (let row = 0; row < rowCount; row++) column[from + row] = Number(vector.getItem(row));
  }
}

function rowsWhere(parts: Int32Array, test: (part: number) => boolean): Uint32Array {
  const rows = new Uint32Array(parts.length);
  let count = 0;
  for (let row = 0; row < parts.length; row++) if (test(parts[row] ?? 0)) rows[count++] = row;
  return rows.slice(0, count);
}
