import { userInfo } from 'node:os';
import { asLakeletError, LakeletError, messageOf, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { EvaluateModel } from './champion.ts';
import type { MlflowServer } from './http.ts';
import { withTrainingLease } from './lease.ts';
import { registerLocally } from './local-registry.ts';
import { markPushed } from './push.ts';
import { keepRecord, readRecord, recordKey } from './record-store.ts';
import { type LoggedTraining, logOnServer } from './server-log.ts';
import type { TrainingRecord } from './training.ts';
import { checkTraining } from './training-check.ts';

/** Where trainings go. */
export interface LogTarget extends Omit<MlflowServer, 'trackingUri'> {
  /** The MLflow server; absent: the training is recorded in `records`. */
  readonly trackingUri?: string;
  readonly experimentName: string;
  /** Where records are kept without a server, or while it can't take them. */
  readonly records: ObjectStore;
  /** Scores the present champion on the training's held-out rows. */
  readonly evaluateChampion: EvaluateModel;
}

/**
 * Logs a training, once a run id: to the server where one is set, else as a record with a registry of its own.
 *
 * @throws LakeletError `TRAINING_INVALID`. Where the server can't take the training: `MLFLOW_UNREACHABLE`,
 *   `MLFLOW_TRAINING_BUSY`, `MLFLOW_FAILED`, `MLFLOW_REFUSED`, `MLFLOW_ARTIFACTS`, `CANCELLED`, thrown after the record was kept for
 *   `lakelet mlflow push`; a second call with the same run id goes on where this one failed.
 */
export async function logTraining(told: TrainingRecord, target: LogTarget): Promise<LoggedTraining> {
  const { trackingUri, experimentName, records, evaluateChampion } = target;
  const training = { ...told, tags: { ...userTag(), ...told.tags } };
  checkTraining(training, experimentName);
  if (trackingUri === undefined) return recordLocally(training, target);
  const server = { ...target, trackingUri };
  let logged: LoggedTraining;
  try {
    logged = await withTrainingLease(records, training.runId, () =>
      logOnServer(server, experimentName, training, evaluateChampion),
    );
  } catch (error) {
    throw await keptForLater(training, target, asLakeletError(error, 'MLFLOW_FAILED', 'Logging to MLflow failed'));
  }
  // An earlier try may have kept the record before it failed.
  if ((await records.head(recordKey(training.runId))) !== undefined)
    await markPushed(records, server, training.runId, logged);
  return logged;
}

/** Who trains, by the tag that MLflow shows as the run's creator. */
function userTag(): Record<string, string> {
  try {
    return { 'mlflow.user': userInfo().username };
  } catch {
    // A container's user may have no name; then the run has none either.
    return {};
  }
}

async function recordLocally(
  training: TrainingRecord,
  { experimentName, records, evaluateChampion }: LogTarget,
): Promise<LoggedTraining> {
  const kept = await keepRecord(records, { experimentName, training });
  const key = recordKey(training.runId);
  // What an earlier try kept is the run's training, whatever has changed since.
  const own = kept === 'exists' ? (await readRecord(records, key)).training : training;
  const { version, champion, reason } = await registerLocally(records, own, evaluateChampion);
  return {
    runId: training.runId,
    modelVersion: String(version),
    champion,
    reason,
    experimentId: experimentName,
    uri: records.localPath(key) ?? `${records.uri}/${key}`,
    recorded: 'local',
    already: kept === 'exists',
  };
}

async function keptForLater(
  training: TrainingRecord,
  { experimentName, records }: LogTarget,
  error: LakeletError,
): Promise<LakeletError> {
  const options = { retryable: error.retryable, cause: error };
  try {
    await keepRecord(records, { experimentName, training });
  } catch (second) {
    const why = printable(messageOf(second), 300);
    return new LakeletError(error.code, `${error.message} The run's record could not be kept either: ${why}`, options);
  }
  const where = printable(records.localPath(recordKey(training.runId)) ?? records.uri, 300);
  return new LakeletError(
    error.code,
    `${error.message} The run's record is kept in ${where}; \`lakelet mlflow push\` sends it.`,
    options,
  );
}
