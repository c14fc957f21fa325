/** One column of the table that a model was trained on. */
export interface DatasetColumn {
  readonly name: string;
  /** Delta's name of the type: `string`, `long`, `integer`, `short`, `byte`, `double`, `float`, `boolean`, `binary`, `date`, `timestamp`, … */
  readonly type: string;
  readonly nullable: boolean;
}

/** The table, at one version, that a model was trained on. */
export interface TrainingDataset {
  /** For example `silver/purchases`. */
  readonly name: string;
  /** The table's URI. */
  readonly uri: string;
  /** The table's version that was read. */
  readonly version: number;
  /** SQL that chose the rows among the table's, where not all were taken. */
  readonly predicate?: string;
  readonly columns: readonly DatasetColumn[];
  /** Facts of the rows, `num_rows` among them; values that JSON can carry. */
  readonly profile: Readonly<Record<string, number | string>>;
}

/** One feature: a column of the model's float matrix. */
export interface ModelFeature {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
  /** Of a categorical feature: the values, each one's position being its code in the matrix. A missing one is NaN or -1, as the model says. */
  readonly categories?: readonly string[];
}

/** A trained model, ready to be kept. */
export interface TrainedModel {
  /** The name it is registered under, for example `purchase-amount`. */
  readonly name: string;
  /** The model's bytes: one float matrix `[n, features]` in, one float column out. */
  readonly onnx: Uint8Array;
  /** The matrix's columns, in order. */
  readonly features: readonly ModelFeature[];
  /** A few rows that the model takes, each one number a feature. */
  readonly inputExample: readonly (readonly number[])[];
  readonly importances?: readonly { readonly name: string; readonly importance: number }[];
}

/**
 * The rows that were held out of the training. The present champion is scored on these very rows; where `features` and
 * `target` are given they are kept with a record, so that a later push can do the same.
 */
export interface HeldOut {
  /** Says which rows they are: two trainings with the same id held out the same rows with the same values. */
  readonly id: string;
  readonly rows: number;
  /** The rows' float matrix, row after row: `rows × features` numbers. */
  readonly features?: Float32Array;
  /** What should be predicted, a number a row. */
  readonly target?: Float64Array;
  /** What the new model itself predicts for these rows; a champion is compared with it row by row. */
  readonly predicted?: Float64Array;
}

/** A metric that changed while trees were added. */
export interface MetricCurve {
  /** The metric's name, for example `oob_rmse`. */
  readonly name: string;
  /** Its value with 1, 2, … trees; NaN where there was none yet. */
  readonly values: readonly number[];
}

/** A file that is shown on the run's page. */
export interface RunArtifact {
  /** Below the run's artifacts, for example `plots/importances.svg`. */
  readonly path: string;
  readonly body: Uint8Array;
}

/** A run to compare a training with (a baseline), logged beside it in the same experiment. */
export interface ComparisonRun {
  readonly name: string;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** All that is told of one training. */
export interface TrainingRecord {
  /** Lakelet's run id; a training is logged once a run id. */
  readonly runId: string;
  /** Milliseconds since 1970 (UTC). */
  readonly startedAt: number;
  /** Milliseconds since 1970 (UTC). */
  readonly endedAt: number;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** Scores on the held-out rows; `rmse` must be there. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Metrics by the number of trees. */
  readonly curves?: readonly MetricCurve[];
  /** Tags of the run; `mlflow.source.git.commit`, `mlflow.source.name` and `mlflow.user` are shown by MLflow's page. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly dataset: TrainingDataset;
  readonly model: TrainedModel;
  readonly heldOut: HeldOut;
  readonly children?: readonly ComparisonRun[];
  /** Plots and the report. */
  readonly artifacts?: readonly RunArtifact[];
}
