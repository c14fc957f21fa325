import { LakeletError, printable } from '../errors.ts';

/** Weights above this would leave sums of squares no room. */
const MAX_WEIGHT = 1e100;

/** A feature of numbers, one a row; NaN is a missing value. */
export interface NumericColumn {
  readonly name: string;
  readonly kind: 'numeric';
  readonly values: Float64Array;
}

/** A feature of categories, one code a row: an index into `categories`, or −1 for a missing value. */
export interface CategoricalColumn {
  readonly name: string;
  readonly kind: 'categorical';
  readonly codes: Int32Array;
  readonly categories: readonly string[];
}

/** One feature of a table, column by column. */
export type FeatureColumn = NumericColumn | CategoricalColumn;

/**
 * A feature as a trained forest knows it, in the order of the model's input matrix. A category's number in the matrix
 * is its index in `categories` (sorted by the mean target of the training rows); NaN stands for missing and unseen ones.
 */
export type ModelFeature =
  | { readonly name: string; readonly kind: 'numeric' }
  | { readonly name: string; readonly kind: 'categorical'; readonly categories: readonly string[] };

/** What a forest learns from: columns of one length, and the target of each row. */
export interface TrainingData {
  readonly columns: readonly FeatureColumn[];
  readonly target: Float64Array;
  /** The rows to learn from, as indices into the columns; all of them where absent. */
  readonly rows?: Uint32Array | Int32Array;
  /** How much each row of the columns counts, finite and not negative; all alike where absent. Rows that weigh 0 are left out. */
  readonly weights?: Float64Array;
}

/** How many rows a column has. */
export function columnLength(column: FeatureColumn): number {
  return column.kind === 'numeric' ? column.values.length : column.codes.length;
}

/**
 * Checks that columns can be used together: at least one, names unique and not empty, one length, codes within their
 * categories, categories unique. Returns the number of rows.
 * @throws LakeletError FOREST_INVALID_DATA
 */
export function checkColumns(columns: readonly FeatureColumn[]): number {
  const [first] = columns;
  if (first === undefined) throw invalidData('There are no feature columns; give at least one.');
  const rows = columnLength(first);
  const names = new Set<string>();
  for (const column of columns) {
    const name = printable(String(column.name), 80);
    if (typeof column.name !== 'string' || column.name === '')
      throw invalidData('A feature column has no name; name it.');
    if (names.has(column.name)) throw invalidData(`Two feature columns are named "${name}"; rename one.`);
    names.add(column.name);
    if (columnLength(column) !== rows) {
      throw invalidData(
        `Column "${name}" has ${columnLength(column)} rows where "${printable(first.name, 80)}" has ${rows}; all columns need one length.`,
      );
    }
    if (column.kind === 'categorical') checkCodes(column, name);
  }
  return rows;
}

/**
 * Checks what a forest is to learn from, and returns how many rows that is.
 * @throws LakeletError FOREST_INVALID_DATA, naming the column and row at fault
 */
export function checkTrainingData(data: TrainingData): number {
  const length = checkColumns(data.columns);
  if (data.target.length !== length) {
    throw invalidData(
      `The target has ${data.target.length} rows where the columns have ${length}; give one target for each row.`,
    );
  }
  const { rows } = data;
  const count = rows === undefined ? length : rows.length;
  if (count === 0) throw invalidData('There are no rows to learn from; give at least one.');
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : (rows[i] ?? -1);
    if (row < 0 || row >= length) throw invalidData(`Row index ${row} is outside the columns' ${length} rows.`);
    if (!Number.isFinite(data.target[row])) {
      throw invalidData(
        `The target of row ${row} is ${data.target[row]}; leave out rows whose target is not a finite number.`,
      );
    }
  }
  checkWeights(data, length, count);
  for (const column of data.columns) {
    if (column.kind !== 'numeric') continue;
    for (let i = 0; i < count; i++) {
      const row = rows === undefined ? i : (rows[i] ?? 0);
      const value = column.values[row];
      // Models take 32-bit floats, so what is finite in 64 bits may not be there.
      if (Math.abs(Math.fround(value ?? 0)) === Infinity) {
        throw invalidData(
          `Column "${printable(column.name, 80)}" holds ${value} in row ${row}, which 32-bit floats cannot hold; use a finite value, or NaN for missing.`,
        );
      }
    }
  }
  return count;
}

function checkWeights({ weights, rows }: TrainingData, length: number, count: number): void {
  if (weights === undefined) return;
  if (weights.length !== length)
    throw invalidData(`There are ${weights.length} weights for ${length} rows of columns; give one for each row.`);
  let weighty = false;
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : (rows[i] ?? 0);
    const weight = weights[row] ?? NaN;
    if (!(weight >= 0 && weight <= MAX_WEIGHT))
      throw invalidData(`The weight of row ${row} is ${weight}; give a number from 0 to ${MAX_WEIGHT}.`);
    if (weight > 0) weighty = true;
  }
  if (!weighty) throw invalidData('All rows weigh 0, so there is nothing to learn from; give some a weight.');
}

function checkCodes(column: CategoricalColumn, name: string): void {
  const { codes, categories } = column;
  if (new Set(categories).size !== categories.length)
    throw invalidData(`Column "${name}" lists a category twice; list each once.`);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] ?? -1;
    if (code < -1 || code >= categories.length) {
      throw invalidData(
        `Column "${name}" has code ${code} in row ${row}, but ${categories.length} categories; use −1 for missing.`,
      );
    }
  }
}

function invalidData(message: string): LakeletError {
  return new LakeletError('FOREST_INVALID_DATA', message);
}
