import { LakeletError } from '../errors.ts';
import type { FeatureColumn, ModelFeature } from './columns.ts';
import { encodeColumns } from './encode.ts';
import { type IntervalCalibration, type IntervalPredictions, intervalsAround } from './intervals.ts';
import type { RegressionMetrics } from './metrics.ts';
import { compilePredictor, type Predictor } from './predict.ts';
import type { Tree } from './tree.ts';

/** How the trees came to be, and so what a prediction is: the mean of a forest's trees, the sum of boosted ones. */
export type Algorithm = 'forest' | 'boosting';

/** How much a feature helped: its share of what all splits lowered the squared error by (impurity importance; the shares sum to 1, or are all 0 where nothing was split). */
export interface FeatureImportance {
  readonly name: string;
  readonly importance: number;
}

/** What a forest predicts for its own training rows, each by those trees alone that did not learn from it (Breiman 2001). */
export interface OutOfBag {
  /** In the order of the training rows; NaN where every tree learnt from a row. */
  readonly predicted: Float64Array;
  /** The standard deviation of those trees' predictions, a number a row; NaN like `predicted`. */
  readonly spread: Float64Array;
  /** Over the rows that have a prediction. */
  readonly metrics: RegressionMetrics;
}

/** How the error fell while trees were added. */
export interface LearningCurve {
  /** `oob_rmse` of a forest, `validation_rmse` of boosted trees. */
  readonly name: string;
  /** The error with 1, 2, … trees; NaN where there was nothing to score yet. */
  readonly values: Float64Array;
}

/** What an ensemble is made of. */
export interface EnsembleParts {
  readonly algorithm: Algorithm;
  readonly features: readonly ModelFeature[];
  readonly trees: readonly Tree[];
  /** One number a feature, in the features' order. */
  readonly importances: readonly number[];
  /** What the trees' sum is added to; 0 by default, and always of a forest. */
  readonly base?: number;
  readonly outOfBag?: OutOfBag;
  readonly learningCurve?: LearningCurve;
  readonly intervals?: IntervalCalibration;
}

/** A trained ensemble of regression trees; it never changes. */
export class TreeEnsemble {
  readonly algorithm: Algorithm;
  /** The columns of the model's input matrix, in order. */
  readonly features: readonly ModelFeature[];
  readonly trees: readonly Tree[];
  /** One entry a feature, in the features' order. */
  readonly importances: readonly FeatureImportance[];
  /** What the trees' sum is added to; 0 of a forest. */
  readonly base: number;
  /** Of a forest that was trained with `oobScore`; a file does not keep it. */
  readonly outOfBag: OutOfBag | undefined;
  /** Where the training scored as it went; a file does not keep it. */
  readonly learningCurve: LearningCurve | undefined;
  /** What makes an interval of a prediction; absent until {@link withIntervals} gives it. A file keeps it. */
  readonly intervals: IntervalCalibration | undefined;
  private predictor: Predictor | undefined;

  constructor(parts: EnsembleParts) {
    const { algorithm, features, trees, importances, base = 0, outOfBag, learningCurve, intervals } = parts;
    this.algorithm = algorithm;
    this.features = features;
    this.trees = trees;
    this.importances = features.map(({ name }, index) => ({ name, importance: importances[index] ?? 0 }));
    this.base = base;
    this.outOfBag = outOfBag;
    this.learningCurve = learningCurve;
    this.intervals = intervals;
  }

  /** How many nodes all trees have together. */
  get nodes(): number {
    return this.trees.reduce((sum, tree) => sum + tree.left.length, 0);
  }

  /**
   * The prediction for each row of columns, which are found by name, or for some of the rows, in the order given (see
   * {@link encodeColumns}).
   * @throws LakeletError FOREST_INVALID_DATA where a feature is absent or of the other kind
   */
  predict(columns: readonly FeatureColumn[], rows?: Uint32Array | Int32Array): Float64Array {
    return this.predictMatrix(encodeColumns(this.features, columns, rows).matrix);
  }

  /**
   * The prediction for each row of the model's input matrix (row-major, as {@link encodeColumns} makes it and as the
   * ONNX file takes it).
   * @throws LakeletError FOREST_INVALID_DATA where the length is no multiple of the number of features
   */
  predictMatrix(matrix: Float32Array): Float64Array {
    this.predictor ??= compilePredictor(this);
    return this.predictor(matrix).predicted;
  }

  /**
   * The prediction for each row of columns or of the model's input matrix, and the interval around it that holds the
   * actual value with the chance that the calibration was made for.
   * @throws LakeletError FOREST_NOT_CALIBRATED for a model without intervals, and what {@link predict} and {@link predictMatrix} throw
   */
  predictIntervals(input: Float32Array | readonly FeatureColumn[]): IntervalPredictions {
    const { intervals } = this;
    if (intervals === undefined) {
      throw new LakeletError(
        'FOREST_NOT_CALIBRATED',
        'The model has no intervals; calibrate them on rows that it did not learn from, and train or load it anew.',
      );
    }
    this.predictor ??= compilePredictor(this);
    const matrix = input instanceof Float32Array ? input : encodeColumns(this.features, input).matrix;
    const { predicted, spread } = this.predictor(matrix, intervals.by === 'spread');
    return intervalsAround(intervals, predicted, spread ?? predicted);
  }

  /**
   * The same model with intervals.
   * @throws LakeletError FOREST_INVALID_OPTION for intervals by the spread of trees where the trees are no forest
   */
  withIntervals(intervals: IntervalCalibration): TreeEnsemble {
    if (intervals.by === 'spread' && this.algorithm !== 'forest') {
      throw new LakeletError(
        'FOREST_INVALID_OPTION',
        'Boosted trees have no spread for intervals to go by; calibrate them without one.',
      );
    }
    const model = new TreeEnsemble({
      algorithm: this.algorithm,
      features: this.features,
      trees: this.trees,
      importances: this.importances.map(({ importance }) => importance),
      base: this.base,
      intervals,
      ...(this.outOfBag !== undefined && { outOfBag: this.outOfBag }),
      ...(this.learningCurve !== undefined && { learningCurve: this.learningCurve }),
    });
    model.predictor = this.predictor;
    return model;
  }
}
