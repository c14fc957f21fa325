import { LakeletError, printable } from '../../errors.ts';
import type { ModelFeature } from '../columns.ts';
import { evaluate } from '../metrics.ts';
import { randomStream } from '../random.ts';
import { meanOf, standardDeviationOf } from './cross-validation.ts';

/** How much worse a model predicts when one feature's values are dealt anew among the rows, so that they tell nothing. */
export interface PermutationImportance {
  readonly name: string;
  /** By how much R² falls: the mean over the repeats. 0 or below for a feature that the model can do without. */
  readonly r2: number;
  /** The sample standard deviation of that over the repeats; NaN for one repeat. */
  readonly r2Deviation: number;
  /** By how much the root mean squared error grows, in the target's unit: the mean over the repeats. */
  readonly rmse: number;
  readonly rmseDeviation: number;
}

/** What permutation importance needs of a model. */
export interface MatrixModel {
  readonly features: readonly ModelFeature[];
  predictMatrix(matrix: Float32Array): Float64Array;
}

/** How permutation importances are measured. */
export interface PermutationOptions {
  /** How often each feature is shuffled; 5 by default. */
  readonly repeats?: number;
  /** Chooses the shuffles; 0 by default. */
  readonly randomState?: number;
}

const FIRST_STREAM = -1000;

/**
 * Permutation importances (Breiman 2001; scikit-learn's `permutation_importance`) of each feature on rows that the model
 * did not learn from: the model's input matrix, as `encodeColumns` makes it, and the rows' targets. Features that carry
 * the same knowledge share it out among them, and may each look useless. Predicts features × repeats × rows. In the
 * order of the model's features.
 * @throws LakeletError FOREST_INVALID_DATA for no rows or a target of another length, FOREST_INVALID_OPTION
 */
export function permutationImportance(
  model: MatrixModel,
  matrix: Float32Array,
  target: Float64Array,
  options: PermutationOptions = {},
): PermutationImportance[] {
  const { repeats = 5, randomState = 0 } = options;
  for (const [name, value, least] of [
    ['repeats', repeats, 1],
    ['randomState', randomState, Number.MIN_SAFE_INTEGER],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new LakeletError(
      'FOREST_INVALID_OPTION',
      `${name} of a permutation importance is ${printable(String(value), 80)}; give a whole number from ${least}.`,
    );
  }
  const whole = evaluate(target, model.predictMatrix(matrix));
  const width = model.features.length;
  const shuffled = matrix.slice();
  return model.features.map(({ name }, feature) => {
    const falls: number[] = [];
    const rises: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const random = randomStream(randomState, FIRST_STREAM - feature * repeats - repeat);
      for (let row = target.length - 1; row > 0; row--) {
        const at = row * width + feature;
        const other = random.below(row + 1) * width + feature;
        const value = shuffled[at] ?? 0;
        shuffled[at] = shuffled[other] ?? 0;
        shuffled[other] = value;
      }
      const { r2, rmse } = evaluate(target, model.predictMatrix(shuffled));
      falls.push(whole.r2 - r2);
      rises.push(rmse - whole.rmse);
    }
    for (let at = feature; at < matrix.length; at += width) shuffled[at] = matrix[at] ?? 0;
    return {
      name,
      r2: meanOf(falls),
      r2Deviation: standardDeviationOf(falls),
      rmse: meanOf(rises),
      rmseDeviation: standardDeviationOf(rises),
    };
  });
}
