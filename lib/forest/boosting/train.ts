import { asLakeletError } from '../../errors.ts';
import { checkTrainingData, type TrainingData } from '../columns.ts';
import { startCrew } from '../crew.ts';
import { type LearningCurve, TreeEnsemble } from '../ensemble.ts';
import { layOut } from '../problem.ts';
import type { Tree } from '../tree.ts';
import type { BoostingJob } from './job.ts';
import { layOutBoosting } from './layout.ts';
import { type BoostingOptions, resolveBoosting } from './options.ts';
import { holdOut, layOutHeldOut } from './validation.ts';
import { weigh } from './weighting.ts';

/** A thread that had fewer rows would wait for the others more than it helps. */
const LEAST_ROWS_A_THREAD = 2048;

/**
 * Boosts regression trees for the squared error (Friedman 2001) on the forest's bins, in worker threads on shared memory.
 * Each round's tree is grown from the best split on to what the rounds before have left, and adds `learningRate` of it.
 * The same data, options and seed give the same model, to the bit, whatever the number of workers: sums are made of whole
 * numbers.
 *
 * Missing values and categories are treated as by {@link trainForest}. With `earlyStopping` the model keeps the trees up
 * to the round of the least held-out error, and its learning curve, `validation_rmse`, has all rounds that were made.
 *
 * Peak memory beside the caller's columns is about 5 bytes a value and 40 a row (44 with weights), and up to 64 MiB of histograms.
 *
 * @throws LakeletError FOREST_INVALID_DATA, FOREST_INVALID_OPTION, FOREST_TOO_LARGE, FOREST_WORKER_NOT_STARTED, FOREST_WORKER_FAILED, FOREST_PROGRESS_FAILED (onProgress threw), ABORTED
 */
export async function trainBoosting(data: TrainingData, options: BoostingOptions = {}): Promise<TreeEnsemble> {
  const { nJobs, ...resolved } = resolveBoosting(options);
  checkTrainingData(data);
  const weighted = rowsWithWeight(data);
  const { earlyStopping, randomState, nEstimators } = resolved;
  const parts: { train: Uint32Array; heldOut?: Uint32Array } =
    earlyStopping && weighted.length > 1 ? holdOut(weighted, earlyStopping.share, randomState) : { train: weighted };
  const count = parts.train.length;
  const threads = Math.max(1, Math.min(nJobs, Math.floor(count / LEAST_ROWS_A_THREAD)));
  const crew = startCrew(threads, options.signal);
  try {
    const { problem, features } = layOut({ ...data, rows: parts.train }, count, randomState);
    const weighing = data.weights && weigh(data.weights, parts.train);
    const bins = problem.edges.map(({ length }) => length + 1);
    const { layout, memory } = layOutBoosting(count, bins, resolved.maxLeafNodes, threads, weighing !== undefined);
    if (weighing) new Uint32Array(memory.buffer, layout.weights, count).set(weighing.whole);
    // The base is a 32-bit float in the model's file, so it is one already here.
    const base = Math.fround(problem.mean + meanOf(problem.target, weighing?.whole));
    const job: BoostingJob = {
      kind: 'boosting',
      memory,
      layout,
      options: resolved,
      columns: problem.columns,
      edges: problem.edges,
      target: problem.target,
      start: base - problem.mean,
      weighting: weighing ?? { countBits: 0, unit: 1 },
      validation: parts.heldOut && layOutHeldOut(data, parts.heldOut, features, base),
    };
    const trees: Tree[] = [];
    const gains: Float64Array[] = [];
    const errors: number[] = [];
    await crew.boost(job, (round) => {
      trees.push(round.tree);
      gains.push(round.gains);
      errors.push(round.error);
      options.onProgress?.({ done: trees.length, total: nEstimators });
    });
    const kept = job.validation === undefined ? trees.length : errors.indexOf(Math.min(...errors)) + 1;
    const learningCurve: LearningCurve = { name: 'validation_rmse', values: Float64Array.from(errors) };
    return new TreeEnsemble({
      algorithm: 'boosting',
      features,
      trees: trees.slice(0, kept),
      importances: sharesOf(gains.slice(0, kept), features.length),
      base,
      ...(job.validation !== undefined && { learningCurve }),
    });
  } catch (error) {
    throw asLakeletError(error, 'FOREST_FAILED', 'The trees could not be boosted');
  } finally {
    await crew.dismiss();
  }
}

/** The rows to learn from, without those that weigh nothing. */
function rowsWithWeight({ target, rows, weights }: TrainingData): Uint32Array {
  const all = rows === undefined ? Uint32Array.from(target, (_value, row) => row) : Uint32Array.from(rows);
  return weights === undefined ? all : all.filter((row) => (weights[row] ?? 0) > 0);
}

/** The mean of the centred target, by weight; 0 but for rounding where rows weigh the same. */
function meanOf(target: Float64Array, weights: Uint32Array | undefined): number {
  if (weights === undefined) return 0;
  let sum = 0;
  let total = 0;
  target.forEach((value, row) => {
    const weight = weights[row] ?? 0;
    sum += weight * value;
    total += weight;
  });
  return sum / total;
}

/** What all trees' splits gained, as shares of 1. */
function sharesOf(gains: readonly Float64Array[], features: number): number[] {
  const sums = new Array<number>(features).fill(0);
  for (const tree of gains)
    tree.forEach((gain, feature) => {
      sums[feature] = (sums[feature] ?? 0) + gain;
    });
  const total = sums.reduce((sum, gain) => sum + gain, 0);
  return total > 0 ? sums.map((gain) => gain / total) : sums;
}
