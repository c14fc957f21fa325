import { z } from 'zod';
import { type LakeletError, printable } from '../errors.ts';
import { call, MlflowRefusal, refused, tryCall } from './client.ts';
import { NOTHING, quoted } from './experiment.ts';
import { callServer, type MlflowServer } from './http.ts';
import { TAG, tagList } from './tags.ts';
import type { TrainingRecord } from './training.ts';

const INFO = z.object({ model_id: z.string().min(1), artifact_uri: z.string() });

/** What becomes of a logged model. */
type ModelStatus = 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';

/**
 * Makes the logged model that a run's files go to.
 *
 * @throws LakeletError `MLFLOW_REFUSED` also where the server is older than MLflow 3, which brought logged models
 */
export async function createModel(
  server: MlflowServer,
  experiment: string,
  runId: string,
  training: TrainingRecord,
): Promise<{ modelId: string; artifactUri: string }> {
  const params = Object.entries(training.params).slice(0, 100);
  const made = await tryCall(server, {
    method: 'POST',
    path: 'logged-models',
    json: {
      experiment_id: experiment,
      name: training.model.name,
      source_run_id: runId,
      params: params.map(([key, value]) => ({ key, value: String(value) })),
      tags: tagList({ [TAG.runId]: training.runId }),
    },
    answer: z.object({ model: z.object({ info: INFO }) }),
    repeatable: false,
  });
  if (made.ok) return { modelId: made.value.model.info.model_id, artifactUri: made.value.model.info.artifact_uri };
  throw made.status === 404 ? await tooOld(server) : refused(server, 'logged-models', made);
}

/** Says that a model's files are all there, or that they never came. */
export async function setModelStatus(server: MlflowServer, modelId: string, status: ModelStatus): Promise<void> {
  await call(server, {
    method: 'PATCH',
    path: `logged-models/${encodeURIComponent(modelId)}`,
    json: { model_id: modelId, status },
    answer: NOTHING,
    repeatable: true,
  });
}

/** The models of a run whose files are not all there. */
export async function pendingModels(server: MlflowServer, experiment: string, runId: string): Promise<string[]> {
  const { models } = await call(server, {
    method: 'POST',
    path: 'logged-models/search',
    json: { experiment_ids: [experiment], filter: `source_run_id = ${quoted(runId)}`, max_results: 50 },
    answer: z.object({
      models: z.array(z.object({ info: z.object({ model_id: z.string(), status: z.string() }) })).default([]),
    }),
    repeatable: true,
  });
  return models.flatMap(({ info }) => (info.status === 'LOGGED_MODEL_PENDING' ? [info.model_id] : []));
}

async function tooOld(server: MlflowServer): Promise<LakeletError> {
  const { status, body } = await callServer(server, { method: 'GET', path: 'version', repeatable: true });
  const version = status === 200 ? ` (it is MLflow ${printable(new TextDecoder().decode(body).trim(), 30)})` : '';
  return new MlflowRefusal(
    404,
    `The MLflow server ${server.trackingUri} keeps no logged models${version}: Lakelet needs a server of MLflow 3.`,
  );
}
