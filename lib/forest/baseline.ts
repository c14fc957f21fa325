import { asLakeletError, LakeletError } from '../errors.ts';
import { checkTrainingData, type FeatureColumn, type TrainingData } from './columns.ts';
import { evaluate, type RegressionMetrics } from './metrics.ts';
import { randomStream, sampleIndices } from './random.ts';
import { takeRows } from './rows.ts';

/** How the baseline is trained. */
export interface BaselineOptions {
  /** How many of the training rows it learns from, at most; 1,000 by default. Its time grows with their square. */
  readonly rows?: number;
  /** How many trees; 10 by default. */
  readonly trees?: number;
  /** How many splits lie at most between root and leaf; 10 by default. */
  readonly maxDepth?: number;
  /** Chooses the sample, and what each tree sees of it; 0 by default. */
  readonly seed?: number;
}

/** What the baseline was trained on, and how well it predicts. */
export interface Baseline {
  /** The rows it learnt from. */
  readonly rows: number;
  readonly trees: number;
  readonly maxDepth: number;
  /** On the held-out rows. */
  readonly metrics: RegressionMetrics;
  /** Training alone. */
  readonly seconds: number;
}

const SAMPLE_STREAM = -3;
const LIMITS = { rows: 5000, trees: 100, maxDepth: 100 };

/**
 * Scores the mean of the training rows' targets as the prediction of every held-out row: what any model must beat.
 * @throws LakeletError FOREST_INVALID_DATA for no rows, or targets that are not finite
 */
export function evaluateMean(data: TrainingData, heldOut: Uint32Array): RegressionMetrics {
  const count = checkTrainingData(data);
  let mean = 0;
  for (let i = 0; i < count; i++) mean += (data.target[data.rows?.[i] ?? i] ?? 0) / count;
  return evaluate(takeRows(data.target, heldOut), new Float64Array(heldOut.length).fill(mean));
}

/**
 * Trains npm's `ml-random-forest` on a sample of the training rows, and scores it on held-out rows, for comparison with
 * {@link trainForest}. It works on the calling thread, which answers to nothing else meanwhile: about a second for the
 * default options. That package knows neither missing values nor categories: the former become the sample's median, the
 * latter their codes (−1 where missing).
 * @throws LakeletError FOREST_INVALID_DATA, FOREST_INVALID_OPTION, FOREST_BASELINE_FAILED
 */
export async function trainBaseline(
  data: TrainingData,
  heldOut: Uint32Array,
  options: BaselineOptions = {},
): Promise<Baseline> {
  const count = checkTrainingData(data);
  const rows = within('rows', options.rows ?? 1000, LIMITS.rows);
  const trees = within('trees', options.trees ?? 10, LIMITS.trees);
  const maxDepth = within('maxDepth', options.maxDepth ?? 10, LIMITS.maxDepth);
  const seed = options.seed ?? 0;
  if (!Number.isSafeInteger(seed)) {
    throw new LakeletError('FOREST_INVALID_OPTION', `The baseline's seed is ${String(seed)}; give a whole number.`);
  }
  const picked = sampleIndices(count, rows, randomStream(seed, SAMPLE_STREAM));
  const sample = data.rows === undefined ? picked : picked.map((index) => data.rows?.[index] ?? 0);
  const columns = data.columns.map((column) => plainValues(column, sample));
  try {
    const { RandomForestRegression } = await import('ml-random-forest');
    const forest = new RandomForestRegression({
      nEstimators: trees,
      seed: seed | 0,
      // A whole number is a count of features to that package; its trees see all of them, each from its own rows.
      maxFeatures: columns.length,
      replacement: false,
      useSampleBagging: true,
      noOOB: true,
      treeOptions: { maxDepth },
    });
    const started = performance.now();
    forest.train(matrixOf(columns, sample), [...takeRows(data.target, sample)]);
    const seconds = (performance.now() - started) / 1000;
    const predicted = Float64Array.from(forest.predict(matrixOf(columns, heldOut)));
    return {
      rows: sample.length,
      trees,
      maxDepth,
      metrics: evaluate(takeRows(data.target, heldOut), predicted),
      seconds,
    };
  } catch (error) {
    throw asLakeletError(error, 'FOREST_BASELINE_FAILED', 'ml-random-forest could not be trained or scored');
  }
}

/** A column as numbers without gaps, one a row of the table. */
function plainValues(column: FeatureColumn, sample: Uint32Array): (row: number) => number {
  if (column.kind === 'categorical') return (row) => column.codes[row] ?? -1;
  const present = takeRows(column.values, sample)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const median = present[present.length >> 1] ?? 0;
  return (row) => {
    const value = column.values[row] ?? Number.NaN;
    return Number.isNaN(value) ? median : value;
  };
}

function matrixOf(columns: readonly ((row: number) => number)[], rows: Uint32Array): number[][] {
  return Array.from(rows, (row) => columns.map((valueAt) => valueAt(row)));
}

function within(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new LakeletError(
    'FOREST_INVALID_OPTION',
    `The baseline's ${name} is ${String(value)}; give a whole number from 1 to ${most}.`,
  );
}
