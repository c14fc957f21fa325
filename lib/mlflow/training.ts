import { LakeletError, printable } from '../errors.ts';

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
  /** Scores on the held-out rows. `rmse` must be there: the champion is chosen by it. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly dataset: TrainingDataset;
  readonly model: TrainedModel;
  readonly heldOut: HeldOut;
  readonly children?: readonly ComparisonRun[];
}

const EXPERIMENT_LIMIT = 500;

/** Throws `TRAINING_INVALID` where a record could not be logged as it stands. */
export function checkTraining(training: TrainingRecord, experimentName: string): void {
  const width = training.model.features.length;
  const refuse = (what: string): never => {
    throw new LakeletError(
      'TRAINING_INVALID',
      `The training of run ${printable(training.runId, 100)} can't be logged: ${what}.`,
    );
  };
  if (training.runId === '' || training.runId.length > 500) refuse('its run id must have 1 to 500 characters');
  if (experimentName === '' || experimentName.length > EXPERIMENT_LIMIT) {
    refuse(`the experiment's name must have 1 to ${EXPERIMENT_LIMIT} characters (MLFLOW_EXPERIMENT_NAME)`);
  }
  if (!/^[^/:.%"']+$/.test(training.model.name)) refuse(`a model's name must not be empty or hold / : . % " or '`);
  if (training.metrics.rmse === undefined) refuse('its metrics hold no rmse, by which the champion is chosen');
  if (training.model.onnx.byteLength === 0) refuse('its model is empty');
  if (width === 0) refuse('its model has no features');
  if (training.model.inputExample.length === 0) refuse('its model has no input example');
  for (const row of training.model.inputExample) {
    if (row.length !== width)
      refuse(`a row of its input example has ${row.length} numbers, not one for each of ${width} features`);
  }
  for (const run of [training, ...(training.children ?? [])]) {
    const name = [...Object.keys(run.params), ...Object.keys(run.metrics)].find((key) => !isMlflowKey(key));
    if (name !== undefined) refuse(`MLflow takes no parameter or metric named ${printable(name, 100)}`);
  }
  const { features, target, rows } = training.heldOut;
  if (features !== undefined && features.length !== rows * width)
    refuse('its held-out matrix does not have rows × features numbers');
  if (target !== undefined && target.length !== rows) refuse('its held-out target does not have a number a row');
}

/** MLflow's rule for names of parameters, metrics and tags. */
function isMlflowKey(key: string): boolean {
  return (
    key.length > 0 && key.length <= 250 && /^[\w.\- :/]+$/.test(key) && !key.includes('..') && !key.startsWith('/')
  );
}
