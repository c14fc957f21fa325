import {
  type Algorithm,
  calibrateIntervals,
  calibrateOutOfBag,
  type TrainingData,
  type TreeEnsemble,
  takeRows,
  trainBoosting,
  trainForest,
} from '../forest/index.ts';
import { progress } from '../progress.ts';

/** The share of features that a forest's split may choose from. */
const MAX_FEATURES = 1 / 3;

/** How trees are boosted, beside what a run's options say; scikit-learn's defaults. */
const BOOSTING = { learningRate: 0.1, maxLeafNodes: 31, minSamplesLeaf: 20, l2Regularization: 0 };

/** What is trained, and how. */
export interface LearnerOptions {
  readonly algorithm: Algorithm;
  /** Trees of a forest, rounds of boosting. */
  readonly trees: number;
  /** Splits between a tree's root and a leaf, at most. */
  readonly maxDepth: number;
  readonly seed: number;
}

/** A model, and what is told of how it came to be. */
export interface Learnt {
  readonly ensemble: TreeEnsemble;
  /** By scikit-learn's own names. */
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** From the first bin to the last tree. */
  readonly seconds: number;
}

/**
 * Trains a model on the rows of `data`. A forest scores itself on the rows that its trees left out, which costs no rows and
 * gives the learning curve and the intervals; boosted trees leave none out, so theirs come from {@link score}.
 *
 * @throws LakeletError what the forest and the boosting throw
 */
export async function learn(data: TrainingData, options: LearnerOptions, signal?: AbortSignal): Promise<Learnt> {
  const { algorithm, trees, maxDepth, seed } = options;
  const common = {
    nEstimators: trees,
    maxDepth,
    randomState: seed,
    onProgress: tellTrees,
    ...(signal !== undefined && { signal }),
  };
  const started = performance.now();
  const ensemble =
    algorithm === 'forest'
      ? await trainForest(data, { ...common, maxFeatures: MAX_FEATURES, oobScore: true })
      : await trainBoosting(data, { ...common, ...BOOSTING });
  const seconds = (performance.now() - started) / 1000;
  const own =
    algorithm === 'forest'
      ? { max_features: MAX_FEATURES, min_samples_leaf: 1, bootstrap: true, oob_score: true }
      : {
          learning_rate: BOOSTING.learningRate,
          max_leaf_nodes: BOOSTING.maxLeafNodes,
          min_samples_leaf: BOOSTING.minSamplesLeaf,
          l2_regularization: BOOSTING.l2Regularization,
        };
  return {
    ensemble,
    params: { algorithm, n_estimators: trees, max_depth: maxDepth, random_state: seed, ...own },
    seconds,
  };
}

function tellTrees({ done, total }: { readonly done: number; readonly total: number }): void {
  progress({ step: 'gold/train', message: 'growing trees', rows: done, total, ...(done === total && { done: true }) });
}

/** A model's answers for rows that were held out of its training. */
export interface Scored {
  /** The model, with intervals where there were enough rows for any. */
  readonly ensemble: TreeEnsemble;
  readonly predicted: Float64Array;
  readonly intervals?: {
    readonly lower: Float64Array;
    readonly upper: Float64Array;
    /** Places among the rows that had no part in making the intervals, by which these may be judged. */
    readonly judged: Uint32Array;
  };
}

/**
 * Predicts held-out rows, and gives the model its intervals. A forest's are calibrated on the rows that it learnt from, each
 * by the trees that did not; those of boosted trees on every second held-out row.
 *
 * @param data what the model learnt from
 * @param matrix the held-out rows, as the model takes them
 * @param actual their targets
 */
export function score(
  { ensemble }: Pick<Learnt, 'ensemble'>,
  data: TrainingData,
  matrix: Float32Array,
  actual: Float64Array,
): Scored {
  const places = Uint32Array.from(actual, (_, place) => place);
  // With few rows and trees every tree may have learnt from each row.
  const outOfBag = ensemble.outOfBag?.predicted.some((value) => !Number.isNaN(value)) === true;
  if (outOfBag) return around(ensemble.withIntervals(calibrateOutOfBag(ensemble, data)), matrix, places);
  const predicted = ensemble.predictMatrix(matrix);
  const taken = places.filter((place) => place % 2 === 1);
  if (ensemble.algorithm === 'forest' || taken.length === 0) return { ensemble, predicted };
  const intervals = calibrateIntervals({ actual: takeRows(actual, taken), predicted: takeRows(predicted, taken) });
  return around(
    ensemble.withIntervals(intervals),
    matrix,
    places.filter((place) => place % 2 === 0),
  );
}

function around(ensemble: TreeEnsemble, matrix: Float32Array, judged: Uint32Array): Scored {
  const { predicted, lower, upper } = ensemble.predictIntervals(matrix);
  return { ensemble, predicted, intervals: { lower, upper, judged } };
}
