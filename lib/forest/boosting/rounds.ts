import type { BoostingFunctions } from './functions.ts';
import { BoostedTreeGrower, type GrownTree } from './grow.ts';
import type { BoostingJob, BoostingReport } from './job.ts';
import { BLOCK_BYTES, BLOCK_ROWS, EDGES_BYTES, LINE_BYTES } from './layout.ts';
import { scoreHeldOut } from './validation.ts';

/** Gradients are whole numbers below 2³⁰. */
const GRADIENT_BITS = 29;

/**
 * What each thread of a boosting does: bins its own rows, then round by round makes their gradients, grows the tree with
 * the others, and takes its leaves from the residuals. The first thread reports.
 *
 * Gradients are the residuals of the squared error, rounded to 2⁻²⁹ of the greatest one of the round: whole numbers,
 * whose sums don't depend on which thread adds them, or in which order.
 */
export function boost(
  job: BoostingJob,
  kernel: BoostingFunctions,
  thread: number,
  report: (report: BoostingReport) => void,
): void {
  const { layout, memory, weighting, options } = job;
  const floats = new Float64Array(memory.buffer);
  const index = layout.index + thread * layout.indexBytes;
  const listRows = (): number => kernel.boostingRows(index, layout.rows, BLOCK_ROWS, thread, layout.threads);
  const grower = new BoostedTreeGrower(job, kernel, thread);
  const count = listRows();
  prepare(job, kernel, thread);
  // Of the residuals that stand there already.
  let greatest = update(job, kernel, index, 0, count, 0);
  let best = Infinity;
  let idle = 0;
  for (let round = 0; round < options.nEstimators && idle < (options.earlyStopping?.rounds ?? 1); round++) {
    floats[(layout.greatest + thread * LINE_BYTES) / 8] = greatest;
    grower.meet();
    const scale = scaleOf(layout.greatest / 8, layout.threads, floats);
    listRows();
    kernel.boostingGradients(
      index,
      count,
      layout.residuals,
      layout.weights,
      weighting.unit,
      weighting.countBits,
      scale,
      layout.gradients,
      layout.totals + thread * LINE_BYTES,
    );
    const grown = grower.grow(round, count);
    greatest = takeLeaves(job, kernel, index, grown, scale);
    const error = scoreHeldOut(job, thread, grown.tree, () => grower.meet());
    if (thread === 0) report({ kind: 'round', tree: grown.tree, gains: grown.gains, error });
    if (options.earlyStopping === undefined) continue;
    // As against the best error so far, so that many small steps count as one that is large enough.
    if (error < best * (1 - options.earlyStopping.tolerance)) {
      best = error;
      idle = 0;
    } else idle++;
  }
  if (thread === 0) report({ kind: 'trained' });
}

/** Bins this thread's rows and writes their first residuals. */
function prepare(job: BoostingJob, kernel: BoostingFunctions, thread: number): void {
  const { layout, memory, columns, edges, target, start } = job;
  const stride = layout.bins.length;
  const at = layout.values + thread * BLOCK_BYTES;
  const values = new Float32Array(memory.buffer, at, BLOCK_ROWS);
  const residuals = new Float64Array(memory.buffer, layout.residuals, layout.rows);
  const step = BLOCK_ROWS * layout.threads;
  // Each thread writes the same edges to the same place before it reads them.
  edges.forEach((upper, feature) => {
    new Float32Array(memory.buffer, layout.edges + feature * EDGES_BYTES, upper.length).set(upper);
  });
  for (let from = thread * BLOCK_ROWS; from < layout.rows; from += step) {
    const to = Math.min(layout.rows, from + BLOCK_ROWS);
    columns.forEach((column, feature) => {
      values.set(column.subarray(from, to));
      const upper = layout.edges + feature * EDGES_BYTES;
      const bins = layout.rowBins + from * stride + feature;
      kernel.boostingBin(at, to - from, upper, (layout.bins[feature] ?? 0) - 1, bins, stride);
    });
    for (let row = from; row < to; row++) residuals[row] = (target[row] ?? 0) - start;
  }
}

/** Gives a tree's leaves their values, and its gains their unit; returns the greatest residual that is left. */
function takeLeaves(
  job: BoostingJob,
  kernel: BoostingFunctions,
  index: number,
  { tree, leaves, gains }: GrownTree,
  scale: number,
): number {
  const { options, weighting } = job;
  let greatest = 0;
  for (const { node, from, to, sum, weight } of leaves) {
    const mean = sum / scale / (weight * weighting.unit + options.l2Regularization);
    // The residuals lose just what the stored tree will add: a 32-bit float.
    const value = Math.fround(options.learningRate * mean);
    tree.value[node] = value;
    greatest = Math.max(greatest, update(job, kernel, index, from, to, value));
  }
  for (let feature = 0; feature < gains.length; feature++)
    gains[feature] = (gains[feature] ?? 0) / scale / scale / weighting.unit;
  return greatest;
}

function update(
  { layout, weighting }: BoostingJob,
  kernel: BoostingFunctions,
  index: number,
  from: number,
  to: number,
  value: number,
): number {
  return kernel.boostingUpdate(index, from, to, layout.residuals, layout.weights, weighting.unit, value);
}

/** The power of two that brings the greatest residual of all threads close below 2³⁰. */
function scaleOf(at: number, threads: number, floats: Float64Array): number {
  let greatest = 0;
  for (let thread = 0; thread < threads; thread++)
    greatest = Math.max(greatest, floats[at + (thread * LINE_BYTES) / 8] ?? 0);
  // From the number's own bits: logarithms may differ from machine to machine.
  const exponent = ((new DataView(Float64Array.of(greatest).buffer).getUint32(4, true) >>> 20) & 0x7ff) - 1023;
  return greatest === 0 ? 1 : 2 ** Math.min(1000, GRADIENT_BITS - exponent);
}
