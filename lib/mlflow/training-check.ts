import { LakeletError, printable } from '../errors.ts';
import type { TrainingRecord } from './training.ts';

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
  if (training.metrics.rmse === undefined) refuse('its metrics hold no rmse');
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
  const curve = (training.curves ?? []).find(({ name }) => !isMlflowKey(name));
  if (curve !== undefined) refuse(`MLflow takes no metric named ${printable(curve.name, 100)}`);
  const paths = (training.artifacts ?? []).map(({ path }) => path);
  const bad = paths.find((path, at) => !isArtifactPath(path) || paths.indexOf(path) !== at);
  if (bad !== undefined) refuse(`${printable(bad, 100)} is no path that one of its artifacts alone can have`);
  const { features, target, predicted, rows } = training.heldOut;
  if (features !== undefined && features.length !== rows * width)
    refuse('its held-out matrix does not have rows × features numbers');
  if (target !== undefined && target.length !== rows) refuse('its held-out target does not have a number a row');
  if (predicted !== undefined && predicted.length !== rows) {
    refuse('its predictions for the held-out rows are not a number a row');
  }
}

/** Names of plain characters, at least one and none of dots alone, with `/` between them. */
function isArtifactPath(path: string): boolean {
  return path.length <= 250 && /^(?!\.+(\/|$))[\w.-]+(\/(?!\.+(\/|$))[\w.-]+)*$/.test(path);
}

/** MLflow's rule for names of parameters, metrics and tags. */
function isMlflowKey(key: string): boolean {
  return (
    key.length > 0 && key.length <= 250 && /^[\w.\- :/]+$/.test(key) && !key.includes('..') && !key.startsWith('/')
  );
}
