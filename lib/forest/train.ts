import { asLakeletError } from '../errors.ts';
import { checkTrainingData, type TrainingData } from './columns.ts';
import { startCrew } from './crew.ts';
import { TreeEnsemble } from './ensemble.ts';
import { type ForestOptions, resolveOptions } from './options.ts';
import { layOut } from './problem.ts';

/**
 * Trains a random forest for regression (Breiman 2001) on features cut into at most 255 bins each, in worker threads on
 * shared memory. The same data, options and seed give the same forest, to the bit, whatever the number of workers.
 *
 * Missing values have a side of their own at each split, learnt where a node has some; elsewhere they, and categories
 * that were not seen in training, go the way of most rows. Peak memory beside the caller's columns is about 5 bytes a
 * value, 8 a row, 28 a row and worker, and 17 a node of the forest.
 *
 * @throws LakeletError FOREST_INVALID_DATA, FOREST_INVALID_OPTION, FOREST_WORKER_NOT_STARTED, FOREST_WORKER_FAILED, FOREST_PROGRESS_FAILED (onProgress threw), ABORTED
 */
export async function trainForest(data: TrainingData, options: ForestOptions = {}): Promise<TreeEnsemble> {
  const resolved = resolveOptions(options);
  const rows = checkTrainingData(data);
  const crew = startCrew(resolved, options.signal);
  try {
    const { problem, features } = layOut(data, rows, resolved.randomState);
    const grown = await crew.grow(problem, (done) => options.onProgress?.({ done, total: resolved.nEstimators }));
    return new TreeEnsemble({
      algorithm: 'forest',
      features,
      trees: grown.map(({ tree }) => tree),
      importances: importancesOf(
        grown.map(({ gains }) => gains),
        features.length,
      ),
    });
  } catch (error) {
    throw asLakeletError(error, 'FOREST_FAILED', 'The forest could not be trained');
  } finally {
    await crew.dismiss();
  }
}

/** scikit-learn's impurity importances: each tree's gains as shares of 1, their mean over the trees, again as shares of 1. */
function importancesOf(gains: readonly Float64Array[], features: number): number[] {
  const sums = new Array<number>(features).fill(0);
  for (const tree of gains) {
    const total = tree.reduce((sum, gain) => sum + gain, 0);
    if (total > 0)
      tree.forEach((gain, feature) => {
        sums[feature] = (sums[feature] ?? 0) + gain / total;
      });
  }
  const total = sums.reduce((sum, share) => sum + share, 0);
  return total > 0 ? sums.map((share) => share / total) : sums;
}
