import { LakeletError, printable } from '../errors.ts';
import { checkColumns, type FeatureColumn, type ModelFeature } from './columns.ts';

/**
 * Columns as the model's input: a row-major matrix of 32-bit floats, one column for each of the model's features, of
 * all rows or of those listed, in that order. Columns are found by name (others are ignored); categories are matched by
 * their text, and those that the model has not seen become NaN, like missing values.
 * @throws LakeletError FOREST_INVALID_DATA where a feature is absent or of the other kind, or a row is out of range
 */
export function encodeColumns(
  features: readonly ModelFeature[],
  columns: readonly FeatureColumn[],
  rows?: Uint32Array | Int32Array,
): { rows: number; matrix: Float32Array } {
  const length = checkColumns(columns);
  const outside = rows?.find((row) => row < 0 || row >= length);
  if (outside !== undefined) {
    throw new LakeletError('FOREST_INVALID_DATA', `Row index ${outside} is outside the columns' ${length} rows.`);
  }
  const width = features.length;
  const count = rows === undefined ? length : rows.length;
  const matrix = new Float32Array(count * width);
  const byName = new Map(columns.map((column) => [column.name, column]));
  features.forEach((feature, at) => {
    const valueAt = translator(feature, byName.get(feature.name));
    for (let i = 0; i < count; i++) matrix[i * width + at] = valueAt(rows === undefined ? i : (rows[i] ?? 0));
  });
  return { rows: count, matrix };
}

/**
 * A matrix made for one model, as another model takes it: each list of features says what stands in its matrix.
 * Features are found by name (others are left out) and categories by text, as in {@link encodeColumns}. So two models
 * can be scored on the very same rows.
 * @throws LakeletError FOREST_INVALID_DATA where a feature is absent or of the other kind, or the matrix has another width
 */
export function recodeMatrix(
  matrix: Float32Array,
  from: readonly ModelFeature[],
  to: readonly ModelFeature[],
): Float32Array {
  const width = from.length;
  const rows = matrix.length / width;
  if (!Number.isInteger(rows)) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      `A matrix of ${matrix.length} values is not made of rows of ${width} features; check its shape.`,
    );
  }
  const columns = from.map((feature, at): FeatureColumn => {
    const values = Float64Array.from({ length: rows }, (_, row) => matrix[row * width + at] ?? Number.NaN);
    if (feature.kind === 'numeric') return { name: feature.name, kind: 'numeric', values };
    const codes = Int32Array.from(values, (value) => (Number.isNaN(value) ? -1 : value));
    return { name: feature.name, kind: 'categorical', codes, categories: feature.categories };
  });
  return encodeColumns(to, columns).matrix;
}

/** What the model takes for a row of one column. */
function translator(feature: ModelFeature, column: FeatureColumn | undefined): (row: number) => number {
  const name = printable(feature.name, 80);
  if (column === undefined) {
    throw new LakeletError('FOREST_INVALID_DATA', `The model needs a column "${name}", which is not there; add it.`);
  }
  if (feature.kind === 'numeric' && column.kind === 'numeric') return (row) => column.values[row] ?? Number.NaN;
  if (feature.kind === 'categorical' && column.kind === 'categorical') {
    const places = new Map(feature.categories.map((category, place) => [category, place]));
    const translated = column.categories.map((category) => places.get(category) ?? Number.NaN);
    return (row) => translated[column.codes[row] ?? -1] ?? Number.NaN;
  }
  throw new LakeletError(
    'FOREST_INVALID_DATA',
    `Column "${name}" is ${column.kind}, but the model knows it as ${feature.kind}; convert it.`,
  );
}
