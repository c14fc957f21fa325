import { LakeletError } from '../errors.ts';

/** How far predictions are from what came true. */
export interface RegressionMetrics {
  /** 1 − squared error / squared deviation from the mean: 1 is perfect, 0 as good as the mean. NaN for fewer than 2 rows; as in scikit-learn, a constant target gives 1 for perfect predictions and else 0. */
  readonly r2: number;
  /** Mean absolute error, in the target's unit. */
  readonly mae: number;
  /** Root of the mean squared error, in the target's unit. */
  readonly rmse: number;
}

/**
 * Scores predictions against actual values, row by row.
 * @throws LakeletError FOREST_INVALID_DATA for no rows, different lengths, or values that are not finite
 */
export function evaluate(actual: Float64Array, predicted: Float64Array): RegressionMetrics {
  const rows = actual.length;
  if (rows === 0) throw new LakeletError('FOREST_INVALID_DATA', 'There are no rows to score; give at least one.');
  if (predicted.length !== rows) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      `There are ${predicted.length} predictions for ${rows} actual values; give one for each.`,
    );
  }
  const origin = actual[0] ?? 0;
  let mean = 0;
  let absolute = 0;
  let squared = 0;
  for (let row = 0; row < rows; row++) {
    const value = actual[row] ?? NaN;
    const error = value - (predicted[row] ?? NaN);
    if (!Number.isFinite(error)) {
      throw new LakeletError(
        'FOREST_INVALID_DATA',
        `Row ${row} compares ${value} with ${predicted[row]}; leave out rows that are not finite.`,
      );
    }
    mean += (value - origin) / rows;
    absolute += Math.abs(error);
    squared += error * error;
  }
  let deviation = 0;
  for (let row = 0; row < rows; row++) deviation += ((actual[row] ?? 0) - origin - mean) ** 2;
  const r2 = rows < 2 ? NaN : deviation > 0 ? 1 - squared / deviation : squared === 0 ? 1 : 0;
  return { r2, mae: absolute / rows, rmse: Math.sqrt(squared / rows) };
}
