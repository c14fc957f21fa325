/** Random forests in TypeScript: train in worker threads, predict, score, and exchange models as ONNX. */
export type { CategoricalColumn, FeatureColumn, ModelFeature, NumericColumn, TrainingData } from './columns.ts';
export { encodeColumns } from './encode.ts';
export { type FeatureImportance, Forest } from './forest.ts';
export { evaluate, type RegressionMetrics } from './metrics.ts';
export { toOnnx } from './onnx.ts';
export { fromOnnx } from './onnx-read.ts';
export type { ForestOptions } from './options.ts';
export { trainForest } from './train.ts';
export type { Tree } from './tree.ts';
