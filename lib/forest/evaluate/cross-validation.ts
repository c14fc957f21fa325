import { LakeletError } from '../../errors.ts';
import type { FeatureColumn, TrainingData } from '../columns.ts';
import { evaluate, type RegressionMetrics } from '../metrics.ts';
import { randomStream } from '../random.ts';
import { type RowSplit, splitWhere, takeRows } from '../rows.ts';

/** How well models predict that were each trained without the rows that they are scored on. */
export interface CrossValidation {
  readonly folds: readonly FoldScore[];
  /** Of the folds' metrics, each fold counting alike. */
  readonly mean: RegressionMetrics;
  /** Of the folds' metrics: the sample standard deviation, which is also what another cut of the rows might change. */
  readonly standardDeviation: RegressionMetrics;
}

/** One fold of a {@link CrossValidation}. */
export interface FoldScore {
  /** Rows learnt from. */
  readonly trained: number;
  /** Rows scored on. */
  readonly heldOut: number;
  readonly metrics: RegressionMetrics;
}

/** What a training must give back to be cross-validated: a `TreeEnsemble` is one. */
export interface Predicting {
  predict(columns: readonly FeatureColumn[], rows?: Uint32Array | Int32Array): Float64Array;
}

const FOLD_STREAM = -4;

/**
 * Folds at random: the rows 0 … `rows` − 1 are shuffled by the seed and dealt to `folds` parts of one size (± 1), each
 * of which is held out of one fold and learnt from in the others.
 * @throws LakeletError FOREST_INVALID_DATA for fewer rows than folds, FOREST_INVALID_OPTION for less than 2 folds
 */
export function foldRows(rows: number, folds: number, seed: number): RowSplit[] {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new LakeletError('FOREST_INVALID_OPTION', `The number of folds is ${String(folds)}; give 2 or more.`);
  }
  if (!Number.isInteger(rows) || rows < folds) {
    throw new LakeletError('FOREST_INVALID_DATA', `There are ${rows} rows for ${folds} folds; give at least one each.`);
  }
  const foldOf = Uint32Array.from({ length: rows }, (_, row) => row % folds);
  const random = randomStream(seed, FOLD_STREAM);
  for (let row = rows - 1; row > 0; row--) {
    const other = random.below(row + 1);
    const fold = foldOf[row] ?? 0;
    foldOf[row] = foldOf[other] ?? 0;
    foldOf[other] = fold;
  }
  return Array.from({ length: folds }, (_, fold) => splitWhere(rows, (row) => foldOf[row] === fold));
}

/**
 * Trains one model a fold and scores it on the fold's held-out rows. The folds come from {@link foldRows},
 * `foldByGroup` or `foldByTime`; `train` may be `trainForest` or `trainBoosting` with any options. The models are
 * trained one after the other, each with all of its own workers.
 * @throws LakeletError FOREST_INVALID_DATA where the data name rows of their own, and what `train` throws
 */
export async function crossValidate(
  data: TrainingData,
  folds: readonly RowSplit[],
  train: (data: TrainingData) => Promise<Predicting>,
): Promise<CrossValidation> {
  if (data.rows !== undefined) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      'Data to cross-validate name rows of their own, where the folds say which rows to learn from; leave "rows" out.',
    );
  }
  const scores: FoldScore[] = [];
  for (const { train: rows, heldOut } of folds) {
    const model = await train({ ...data, rows });
    const metrics = evaluate(takeRows(data.target, heldOut), model.predict(data.columns, heldOut));
    scores.push({ trained: rows.length, heldOut: heldOut.length, metrics });
  }
  const over = (fold: (values: readonly number[]) => number): RegressionMetrics => ({
    r2: fold(scores.map(({ metrics }) => metrics.r2)),
    mae: fold(scores.map(({ metrics }) => metrics.mae)),
    rmse: fold(scores.map(({ metrics }) => metrics.rmse)),
  });
  return { folds: scores, mean: over(meanOf), standardDeviation: over(standardDeviationOf) };
}

/** The mean of numbers; NaN of none. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample standard deviation of numbers; NaN of fewer than 2. */
export function standardDeviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.length < 2
    ? Number.NaN
    : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
