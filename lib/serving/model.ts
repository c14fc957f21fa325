import type { FeatureColumn } from '../forest/index.ts';

/** A column that a model takes. */
export interface ServedFeature {
  readonly name: string;
  /** By MLflow's names of types; a model of Lakelet's has `float` and `string` alone. */
  readonly type: 'float' | 'double' | 'integer' | 'long' | 'boolean' | 'string';
  /** Whether a value may be missing. */
  readonly nullable: boolean;
}

/** How a feature's values stand in columns: as categories where they are strings, else as numbers. */
export function kindOf({ type }: ServedFeature): FeatureColumn['kind'] {
  return type === 'string' ? 'categorical' : 'numeric';
}

/** What a model says of rows, an entry each. */
export interface Scores {
  readonly predicted: Float64Array;
  /** The interval around each prediction, of a model that has any. */
  readonly intervals?: { readonly lower: Float64Array; readonly upper: Float64Array };
  /** Categories among the rows that the model has not seen in its training, and so took for missing. */
  readonly unseen: readonly UnseenCategory[];
}

/** A category that a model does not know. */
export interface UnseenCategory {
  readonly feature: string;
  readonly category: string;
}

/** What scores rows, from whatever file it came. */
export interface Scorer {
  /** In the model's own order. */
  readonly features: readonly ServedFeature[];
  /** Whether its predictions have intervals. */
  readonly hasIntervals: boolean;
  /**
   * Scores rows of columns, which are found by name; others are ignored.
   *
   * @param columns NaN is a missing number, the code −1 a missing category
   * @param first what the first row is called in errors
   * @throws LakeletError `PREDICTION_INVALID` for a value that the model can't take, `MODEL_UNSUITABLE` where it gives no
   *   number for each row
   */
  score(columns: readonly FeatureColumn[], first?: number): Promise<Scores>;
}

/** A version of a registered model, ready to be asked. */
export interface ServedModel extends Scorer {
  readonly name: string;
  readonly version: string;
}
