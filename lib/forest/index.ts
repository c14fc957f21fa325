/** Random forests in TypeScript: train in worker threads, predict, score, and exchange models as ONNX. */
export { type Baseline, type BaselineOptions, evaluateMean, trainBaseline } from './baseline.ts';
export type { CategoricalColumn, FeatureColumn, ModelFeature, NumericColumn, TrainingData } from './columns.ts';
export { encodeColumns, recodeMatrix } from './encode.ts';
export {
  type Algorithm,
  type FeatureImportance,
  type LearningCurve,
  type OutOfBag,
  TreeEnsemble,
} from './ensemble.ts';
export { evaluate, type RegressionMetrics } from './metrics.ts';
export { toOnnx } from './onnx.ts';
export { fromOnnx } from './onnx-read.ts';
export type { ForestOptions } from './options.ts';
export { type RowSplit, splitRows, takeRows } from './rows.ts';
export { trainForest } from './train.ts';
export type { Tree } from './tree.ts';
