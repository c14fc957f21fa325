import { LakeletError, printable } from '../errors.ts';
import { checkColumns, type FeatureColumn, type ModelFeature } from './columns.ts';

/**
 * Columns as the model's input: a row-major matrix of 32-bit floats, one column for each of the model's features.
 * Columns are found by name (others are ignored); categories are matched by their text, and those that the model has
 * not seen become NaN, like missing values.
 * @throws LakeletError FOREST_INVALID_DATA where a feature is absent or of the other kind
 */
export function encodeColumns(
  features: readonly ModelFeature[],
  columns: readonly FeatureColumn[],
): { rows: number; matrix: Float32Array } {
  const rows = checkColumns(columns);
  const width = features.length;
  const matrix = new Float32Array(rows * width);
  const byName = new Map(columns.map((column) => [column.name, column]));
  features.forEach((feature, at) => {
    const column = byName.get(feature.name);
    const name = printable(feature.name, 80);
    if (column === undefined)
      throw new LakeletError('FOREST_INVALID_DATA', `The model needs a column "${name}", which is not there; add it.`);
    if (feature.kind === 'numeric' && column.kind === 'numeric') {
      for (let row = 0; row < rows; row++) matrix[row * width + at] = column.values[row] ?? NaN;
    } else if (feature.kind === 'categorical' && column.kind === 'categorical') {
      const places = new Map(feature.categories.map((category, place) => [category, place]));
      const translated = column.categories.map((category) => places.get(category) ?? NaN);
      for (let row = 0; row < rows; row++) matrix[row * width + at] = translated[column.codes[row] ?? -1] ?? NaN;
    } else {
      throw new LakeletError(
        'FOREST_INVALID_DATA',
        `Column "${name}" is ${column.kind}, but the model knows it as ${feature.kind}; convert it.`,
      );
    }
  });
  return { rows, matrix };
}
