import type { ModelFeature, TrainingData } from '../columns.ts';
import { encodeColumns } from '../encode.ts';
import { randomStream, sampleIndices } from '../random.ts';
import type { Tree } from '../tree.ts';
import type { BoostingJob, Validation } from './job.ts';

const SCORED_ROWS = 1024;
const HOLD_OUT_STREAM = -2;

/**
 * Adds a tree to what is predicted for the held-out rows, each thread for blocks of its own, and returns their root mean
 * squared error, the same in all threads; NaN where none are held out.
 */
export function scoreHeldOut(
  { layout, validation }: BoostingJob,
  thread: number,
  tree: Tree,
  meet: () => void,
): number {
  if (validation === undefined) return NaN;
  const { blockSums, totalWeight } = validation;
  for (let block = thread; block < blockSums.length; block += layout.threads)
    blockSums[block] = scoreBlock(validation, tree, layout.bins.length, block);
  meet();
  return Math.sqrt(blockSums.reduce((sum, part) => sum + part, 0) / totalWeight);
}

function scoreBlock({ matrix, residuals, weights }: Validation, tree: Tree, width: number, block: number): number {
  const to = Math.min(residuals.length, (block + 1) * SCORED_ROWS);
  let sum = 0;
  for (let row = block * SCORED_ROWS; row < to; row++) {
    const residual = (residuals[row] ?? 0) - (tree.value[leafOf(tree, matrix, row * width)] ?? 0);
    residuals[row] = residual;
    sum += (weights?.[row] ?? 1) * residual * residual;
  }
  return sum;
}

function leafOf({ left, feature, threshold, missingLeft }: Tree, matrix: Float32Array, at: number): number {
  let node = 0;
  for (let child = left[node] ?? 0; child !== 0; child = left[node] ?? 0) {
    const value = matrix[at + (feature[node] ?? 0)] ?? NaN;
    const goesLeft = Number.isNaN(value) ? missingLeft[node] === 1 : value <= (threshold[node] ?? 0);
    node = goesLeft ? child : child + 1;
  }
  return node;
}

/** Parts training rows into those to learn from and a seeded share of at least one to hold out. */
export function holdOut(rows: Uint32Array, share: number, seed: number): { train: Uint32Array; heldOut: Uint32Array } {
  const taken = sampleIndices(
    rows.length,
    Math.min(rows.length - 1, Math.max(1, Math.round(rows.length * share))),
    randomStream(seed, HOLD_OUT_STREAM),
  );
  const train = new Uint32Array(rows.length - taken.length);
  const heldOut = new Uint32Array(taken.length);
  let next = 0;
  rows.forEach((row, place) => {
    if (taken[next] === place) heldOut[next++] = row;
    else train[place - next] = row;
  });
  return { train, heldOut };
}

/** The held-out rows as the threads score them, encoded as the model of the other rows sees them; `base` is predicted for all so far. */
export function layOutHeldOut(
  data: TrainingData,
  rows: Uint32Array,
  features: readonly ModelFeature[],
  base: number,
): Validation {
  const { matrix } = encodeColumns(features, data.columns, rows);
  const shared = new Float32Array(new SharedArrayBuffer(matrix.byteLength));
  shared.set(matrix);
  const residuals = new Float64Array(new SharedArrayBuffer(rows.length * 8));
  const weights = data.weights && new Float64Array(new SharedArrayBuffer(rows.length * 8));
  let totalWeight = 0;
  rows.forEach((row, place) => {
    const weight = data.weights?.[row] ?? 1;
    residuals[place] = (data.target[row] ?? 0) - base;
    if (weights !== undefined) weights[place] = weight;
    totalWeight += weight;
  });
  const blockSums = new Float64Array(new SharedArrayBuffer(Math.ceil(rows.length / SCORED_ROWS) * 8));
  return { matrix: shared, residuals, weights, blockSums, totalWeight };
}
