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
 * gives the learning curve and the intervals; boosted trees leave none out, so theirs come from {@link calibrated}.
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

/**
 * The model with intervals, and the places in `heldOut` that had no part in them, on which the intervals can be judged. A
 * forest's are calibrated on its own rows; those of boosted trees on every second held-out row.
 *
 * @returns `intervals: undefined` in the model where there were too few rows for any
 */
export function calibrated(
  { ensemble }: Pick<Learnt, 'ensemble'>,
  data: TrainingData,
  actual: Float64Array,
  predicted: Float64Array,
): { readonly ensemble: TreeEnsemble; readonly judged: Uint32Array } {
  const places = Uint32Array.from(actual, (_, place) => place);
  const { outOfBag } = ensemble;
  if (outOfBag !== undefined) {
    // With few rows and trees every tree may have learnt from each row.
    if (outOfBag.predicted.every(Number.isNaN)) return { ensemble, judged: places };
    return { ensemble: ensemble.withIntervals(calibrateOutOfBag(ensemble, data)), judged: places };
  }
  const taken = places.filter((place) => place % 2 === 1);
  if (taken.length === 0) return { ensemble, judged: places };
  const intervals = calibrateIntervals({
    actual: takeRows(actual, taken),
    predicted: takeRows(predicted, taken),
  });
  return { ensemble: ensemble.withIntervals(intervals), judged: places.filter((place) => place % 2 === 0) };
}
