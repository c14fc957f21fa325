/** Random forests in TypeScript: train in worker threads, predict, score, and exchange models as ONNX. */
export { type Baseline, type BaselineOptions, evaluateMean, trainBaseline } from './baseline.ts';
export type { BoostingOptions, EarlyStopping } from './boosting/options.ts';
export { trainBoosting } from './boosting/train.ts';
export type { CategoricalColumn, FeatureColumn, ModelFeature, NumericColumn, TrainingData } from './columns.ts';
export { encodeColumns, recodeMatrix } from './encode.ts';
export {
  type Algorithm,
  type FeatureImportance,
  type LearningCurve,
  type OutOfBag,
  TreeEnsemble,
} from './ensemble.ts';
export {
  type CalibrationOptions,
  type CalibrationRows,
  calibrateIntervals,
  calibrateOutOfBag,
  evaluateIntervals,
  type IntervalMetrics,
} from './evaluate/calibration.ts';
export {
  type CrossValidation,
  crossValidate,
  type FoldScore,
  foldRows,
} from './evaluate/cross-validation.ts';
export { foldByGroup, splitByGroup } from './evaluate/group-split.ts';
export { type PairedTest, pairedTest } from './evaluate/paired-test.ts';
export {
  type PermutationImportance,
  type PermutationOptions,
  permutationImportance,
} from './evaluate/permutation.ts';
export { errorBySegment, type Segment, type SegmentOptions, type SegmentRows } from './evaluate/segments.ts';
export { foldByTime, splitByTime } from './evaluate/time-split.ts';
export type { IntervalCalibration, IntervalPredictions } from './intervals.ts';
export { evaluate, type RegressionMetrics } from './metrics.ts';
export { toOnnx } from './onnx.ts';
export { fromOnnx, isOwnOnnx } from './onnx-read.ts';
export type { ForestOptions } from './options.ts';
export { type RowSplit, splitRows, takeRows } from './rows.ts';
export { trainForest } from './train.ts';
export type { Tree } from './tree.ts';
