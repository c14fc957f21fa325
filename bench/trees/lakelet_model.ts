/**
 * Trains one model in a process of its own, for the benches: reads a {@link ModelJob} from standard input and prints one
 * {@link ModelMeasured} as JSON.
 */
import { json } from 'node:stream/consumers';
import { encodeColumns, evaluate, takeRows, trainBoosting, trainForest } from '../../lib/forest/index.ts';
import { forgetPeak, memory } from './memory.ts';
import type { ModelJob, ModelMeasured } from './model-job.ts';
import { loadTrainingFiles } from './training-files.ts';

const job = (await json(process.stdin)) as ModelJob;
const { columns, target, train: rows, heldOut } = await loadTrainingFiles(job.data);
const actual = takeRows(target, heldOut);

const before = memory();
forgetPeak();
const cpuBefore = process.cpuUsage();
const start = performance.now();
const train = job.model === 'boosting' ? trainBoosting : trainForest;
const model = await train(
  { columns, target, rows },
  {
    nEstimators: job.trees,
    maxFeatures: job.maxFeatures,
    minSamplesLeaf: job.leaf,
    randomState: job.seed,
    ...(job.depth !== undefined && { maxDepth: job.depth }),
  },
);
const fit = (performance.now() - start) / 1000;
const cpu = process.cpuUsage(cpuBefore).user / 1e6;
const { peak } = memory();
const predicted = model.predict(columns, heldOut);
const all = (performance.now() - start) / 1000;

const { r2, mae } = evaluate(actual, predicted);
const result: ModelMeasured = { fit, cpu, all, predict: predict(job.predict), r2, mae, peak, above: peak - before.now };
process.stdout.write(JSON.stringify(result));

/** Seconds to predict so many rows, the held-out ones again and again; NaN for none. */
function predict(count: number): number {
  if (count === 0) return Number.NaN;
  const { matrix } = encodeColumns(model.features, columns, heldOut);
  const many = new Float32Array(count * columns.length);
  for (let at = 0; at < many.length; at += matrix.length) many.set(matrix.subarray(0, many.length - at), at);
  const began = performance.now();
  model.predictMatrix(many);
  return (performance.now() - began) / 1000;
}
