import { asLakeletError } from '../errors.ts';
import type { EvaluateModel } from './champion.ts';
import { experimentId } from './experiment.ts';
import type { MlflowServer } from './http.ts';
import { register } from './server-registry.ts';
import { finishedRun } from './server-run.ts';
import type { TrainingRecord } from './training.ts';

/** Where a training was logged, and what became of its model. */
export interface LoggedTraining {
  /** MLflow's run id; Lakelet's own where the training was recorded locally. */
  readonly runId: string;
  /** The version of the registered model. */
  readonly modelVersion: string;
  readonly champion: boolean;
  /** Why it became champion, or not. */
  readonly reason: string;
  /** MLflow's experiment id; its name where the training was recorded locally. */
  readonly experimentId: string;
  /** A page to look at, or the record's place. */
  readonly uri: string;
  readonly recorded: 'server' | 'local';
  /** True where this run id was logged before, and nothing was added. */
  readonly already: boolean;
}

/**
 * Logs a training on an MLflow server, once a run id: the run with its parameters, metrics, dataset and model, then the
 * model's version in the registry.
 *
 * @throws LakeletError `MLFLOW_UNREACHABLE`, `MLFLOW_FAILED`, `MLFLOW_REFUSED`, `MLFLOW_ARTIFACTS`, `CANCELLED`
 */
export async function logOnServer(
  server: MlflowServer,
  experimentName: string,
  training: TrainingRecord,
  evaluate: EvaluateModel | undefined,
): Promise<LoggedTraining> {
  try {
    const experiment = await experimentId(server, experimentName);
    const run = await finishedRun(server, experiment, training);
    const registration = await register(server, run, training, evaluate);
    return {
      runId: run.runId,
      ...registration,
      experimentId: experiment,
      uri: `${server.trackingUri.replace(/\/+$/, '')}/#/experiments/${experiment}/runs/${run.runId}`,
      recorded: 'server',
      already: run.already,
    };
  } catch (error) {
    throw asLakeletError(error, 'MLFLOW_FAILED', 'Logging to MLflow failed');
  }
}
