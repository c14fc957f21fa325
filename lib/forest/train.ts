import { asLakeletError } from '../errors.ts';
import { checkTrainingData, type TrainingData } from './columns.ts';
import { startCrew } from './crew.ts';
import { TreeEnsemble } from './ensemble.ts';
import { type ForestOptions, resolveOptions } from './options.ts';
import { checkScoring, layOutScoring, outOfBagOf } from './out-of-bag.ts';
import { layOut, type Problem, rowsWithWeight } from './problem.ts';
import { layOutWorkspace } from './workspace.ts';

/**
 * Trains a random forest for regression (Breiman 2001) on features cut into at most 255 bins each, in worker threads on
 * shared memory. The same data, options and seed give the same forest, to the bit, whatever the number of workers.
 *
 * Missing values have a side of their own at each split, learnt where a node has some; elsewhere they, and categories
 * that were not seen in training, go the way of most rows. Peak memory beside the caller's columns is about 5 bytes a
 * value, 8 a row (20 with weights), up to 40 a row and worker (48 with weights, 64 with quantiles), and 17 a node of
 * the forest; `oobScore` adds a bit a row and tree, and 16 bytes a row.
 *
 * @throws LakeletError FOREST_INVALID_DATA, FOREST_INVALID_OPTION, FOREST_TOO_LARGE, FOREST_WORKER_NOT_STARTED, FOREST_WORKER_FAILED, FOREST_PROGRESS_FAILED (onProgress threw), ABORTED
 */
export async function trainForest(data: TrainingData, options: ForestOptions = {}): Promise<TreeEnsemble> {
  const resolved = resolveOptions(options);
  const given = checkTrainingData(data);
  const weighty = rowsWithWeight(data);
  const learnt = weighty === undefined ? data : { ...data, rows: weighty.rows };
  const rows = weighty?.rows.length ?? given;
  if (resolved.oobScore) checkScoring(rows, data.columns.length, resolved);
  const crew = startCrew(resolved.nJobs, options.signal);
  try {
    const { problem: laidOut, features } = layOut(learnt, rows, resolved.randomState);
    const problem = resolved.oobScore ? withDraws(laidOut, resolved.nEstimators) : laidOut;
    const binCounts = problem.edges.map(({ length }) => length + 1);
    const workspace = layOutWorkspace(problem.rows, binCounts, resolved.nJobs, problem.weights !== undefined);
    const grown = await crew.grow(problem, resolved, workspace, (done) =>
      options.onProgress?.({ done, total: resolved.nEstimators }),
    );
    const trees = grown.map(({ tree }) => tree);
    const scoring = problem.drawn && layOutScoring(problem, workspace, grown, resolved.nJobs);
    if (scoring !== undefined) await crew.score(problem, scoring);
    return new TreeEnsemble({
      algorithm: 'forest',
      features,
      trees,
      importances: importancesOf(
        grown.map(({ gains }) => gains),
        features.length,
      ),
      ...(scoring && outOfBagOf(scoring, targetsOf(data, given), weighty?.places, given)),
    });
  } catch (error) {
    throw asLakeletError(error, 'FOREST_FAILED', 'The forest could not be trained');
  } finally {
    await crew.dismiss();
  }
}

/** The problem with room to note which rows each tree draws. */
function withDraws(problem: Problem, trees: number): Problem {
  const bytes = trees * Math.ceil(problem.rows / 8);
  return { ...problem, drawn: new Uint8Array(new SharedArrayBuffer(bytes)) };
}

function targetsOf({ target, rows }: TrainingData, count: number): Float64Array {
  if (rows === undefined) return target;
  const own = new Float64Array(count);
  for (let i = 0; i < count; i++) own[i] = target[rows[i] ?? 0] ?? NaN;
  return own;
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
