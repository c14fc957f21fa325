import type { FeatureColumn, ModelFeature } from './columns.ts';
import { encodeColumns } from './encode.ts';
import { compilePredictor, type Predictor } from './predict.ts';
import type { Tree } from './tree.ts';

/** How much a feature helped: its share of what all splits lowered the squared error by (impurity importance; the shares sum to 1, or are all 0 where nothing was split). */
export interface FeatureImportance {
  readonly name: string;
  readonly importance: number;
}

/** A trained random forest: it never changes, and predicts the mean of its trees. */
export class Forest {
  /** The columns of the model's input matrix, in order. */
  readonly features: readonly ModelFeature[];
  readonly trees: readonly Tree[];
  /** One entry a feature, in the features' order. */
  readonly importances: readonly FeatureImportance[];
  private predictor: Predictor | undefined;

  constructor(features: readonly ModelFeature[], trees: readonly Tree[], importances: readonly number[]) {
    this.features = features;
    this.trees = trees;
    this.importances = features.map(({ name }, index) => ({ name, importance: importances[index] ?? 0 }));
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
    this.predictor ??= compilePredictor(this.trees, this.features.length);
    return this.predictor(matrix);
  }
}
