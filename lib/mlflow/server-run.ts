import { z } from 'zod';
import { call, uploadArtifact } from './client.ts';
import { mlflowDataset } from './dataset.ts';
import { NOTHING, RUN, type RunInfo, runsByTag } from './experiment.ts';
import type { MlflowServer } from './http.ts';
import { modelFolder } from './model-folder.ts';
import { TAG, tagList } from './tags.ts';
import type { ComparisonRun, TrainingRecord } from './training.ts';

/** A run that holds a whole training. */
export interface FinishedRun {
  readonly runId: string;
  readonly modelId: string;
  /** True where it was there before. */
  readonly already: boolean;
}

/**
 * The run that holds this training: the finished one of its run id, else a new one. Runs of the same id that a killed
 * process left half-logged are marked FAILED, and so is the new one where logging it fails.
 */
export async function finishedRun(
  server: MlflowServer,
  experiment: string,
  training: TrainingRecord,
): Promise<FinishedRun> {
  const runs = await runsByTag(server, experiment, TAG.runId, training.runId);
  const finished = runs.find(isWhole);
  if (finished !== undefined) return { runId: finished.runId, modelId: modelIdOf(finished), already: true };
  for (const run of runs) {
    if (run.status === 'RUNNING' || run.status === 'SCHEDULED') await endRun(server, run.runId, 'FAILED', Date.now());
  }
  const run = await createRun(server, experiment, runName(training), training.startedAt, {
    ...training.tags,
    [TAG.runId]: training.runId,
    [TAG.heldOut]: training.heldOut.id,
  });
  try {
    const modelId = await logContent(server, experiment, run, training);
    for (const child of training.children ?? []) await logComparison(server, experiment, run.runId, training, child);
    await endRun(server, run.runId, 'FINISHED', training.endedAt);
    return { runId: run.runId, modelId, already: false };
  } catch (error) {
    await markFailed(server, run.runId);
    throw error;
  }
}

function isWhole(run: RunInfo): boolean {
  return run.status === 'FINISHED' && run.tags.has(TAG.modelId);
}

function modelIdOf(run: RunInfo): string {
  return run.tags.get(TAG.modelId) ?? '';
}

function runName(training: TrainingRecord): string {
  return `${training.model.name} ${training.runId}`.slice(0, 250);
}

async function createRun(
  server: MlflowServer,
  experiment: string,
  name: string,
  startedAt: number,
  tags: Record<string, string>,
): Promise<RunInfo> {
  const source = { 'mlflow.source.name': 'lakelet', 'mlflow.source.type': 'LOCAL' };
  const { run } = await call(server, {
    method: 'POST',
    path: 'runs/create',
    json: { experiment_id: experiment, run_name: name, start_time: startedAt, tags: tagList({ ...source, ...tags }) },
    answer: z.object({ run: RUN }),
    repeatable: false,
  });
  return run;
}

async function logContent(
  server: MlflowServer,
  experiment: string,
  run: RunInfo,
  training: TrainingRecord,
): Promise<string> {
  const { model } = training;
  const dataset = mlflowDataset(training.dataset);
  const context = [{ key: 'mlflow.data.context', value: 'training' }];
  await post(server, 'runs/log-inputs', { run_id: run.runId, datasets: [{ tags: context, dataset }] });
  const logged = await createModel(server, experiment, run.runId, training);
  try {
    const origin = {
      runId: run.runId,
      modelId: logged.modelId,
      artifactUri: logged.artifactUri,
      createdAt: training.endedAt,
    };
    for (const { path, body } of modelFolder(model, origin))
      await uploadArtifact(server, logged.artifactUri, path, body);
    await setModelStatus(server, logged.modelId, 'LOGGED_MODEL_READY');
  } catch (error) {
    await markModelFailed(server, logged.modelId);
    throw error;
  }
  await post(server, 'runs/outputs', { run_id: run.runId, models: [{ model_id: logged.modelId, step: 0 }] });
  const about = { model_id: logged.modelId, dataset_name: dataset.name, dataset_digest: dataset.digest };
  await logBatch(server, run.runId, training, { [TAG.modelId]: logged.modelId }, about);
  if (model.importances !== undefined) {
    const body = new TextEncoder().encode(JSON.stringify(model.importances, undefined, 2));
    await uploadArtifact(server, run.artifactUri, 'feature_importances.json', body);
  }
  return logged.modelId;
}

async function logComparison(
  server: MlflowServer,
  experiment: string,
  parent: string,
  training: TrainingRecord,
  child: ComparisonRun,
): Promise<void> {
  const run = await createRun(server, experiment, child.name, training.startedAt, { 'mlflow.parentRunId': parent });
  try {
    const dataset = mlflowDataset(training.dataset);
    await post(server, 'runs/log-inputs', {
      run_id: run.runId,
      datasets: [{ tags: [{ key: 'mlflow.data.context', value: 'training' }], dataset }],
    });
    const about = { dataset_name: dataset.name, dataset_digest: dataset.digest };
    await logBatch(server, run.runId, { ...child, endedAt: training.endedAt }, {}, about);
    await endRun(server, run.runId, 'FINISHED', training.endedAt);
  } catch (error) {
    await markFailed(server, run.runId);
    throw error;
  }
}

/** MLflow takes at most 100 parameters and 1,000 metrics a call. */
async function logBatch(
  server: MlflowServer,
  runId: string,
  run: Pick<TrainingRecord, 'params' | 'metrics' | 'endedAt'>,
  tags: Record<string, string>,
  about: Record<string, string>,
): Promise<void> {
  const params = Object.entries(run.params).map(([key, value]) => ({ key, value: String(value) }));
  const metrics = Object.entries(run.metrics).map(([key, value]) => ({
    key,
    value: metricValue(value),
    timestamp: run.endedAt,
    step: 0,
    ...about,
  }));
  for (let at = 0; at === 0 || at < Math.max(params.length, metrics.length); at += 100) {
    await post(server, 'runs/log-batch', {
      run_id: runId,
      params: params.slice(at, at + 100),
      metrics: metrics.slice(at, at + 100),
      tags: at === 0 ? tagList(tags) : [],
    });
  }
}

/** Protobuf's JSON for numbers that JSON lacks: `"NaN"`, `"Infinity"`, `"-Infinity"`. */
function metricValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

async function createModel(
  server: MlflowServer,
  experiment: string,
  runId: string,
  training: TrainingRecord,
): Promise<{ modelId: string; artifactUri: string }> {
  const params = Object.entries(training.params).slice(0, 100);
  const { model } = await call(server, {
    method: 'POST',
    path: 'logged-models',
    json: {
      experiment_id: experiment,
      name: training.model.name,
      source_run_id: runId,
      params: params.map(([key, value]) => ({ key, value: String(value) })),
      tags: tagList({ [TAG.runId]: training.runId }),
    },
    answer: z.object({
      model: z.object({ info: z.object({ model_id: z.string().min(1), artifact_uri: z.string() }) }),
    }),
    repeatable: false,
  });
  return { modelId: model.info.model_id, artifactUri: model.info.artifact_uri };
}

async function setModelStatus(server: MlflowServer, modelId: string, status: string): Promise<void> {
  await call(server, {
    method: 'PATCH',
    path: `logged-models/${encodeURIComponent(modelId)}`,
    json: { model_id: modelId, status },
    answer: NOTHING,
    repeatable: true,
  });
}

async function endRun(
  server: MlflowServer,
  runId: string,
  status: 'FINISHED' | 'FAILED',
  endedAt: number,
): Promise<void> {
  await post(server, 'runs/update', { run_id: runId, status, end_time: endedAt });
}

async function post(server: MlflowServer, path: string, json: unknown): Promise<void> {
  await call(server, { method: 'POST', path, json, answer: NOTHING, repeatable: true });
}

/** One try, also after a cancel: the server that just failed is likely to fail again, and the next logging marks what is left. */
function lastWord(server: MlflowServer): MlflowServer {
  const { signal: _, ...rest } = server;
  return { ...rest, attempts: 1, timeoutMs: 5000 };
}

async function markFailed(server: MlflowServer, runId: string): Promise<void> {
  await Promise.allSettled([endRun(lastWord(server), runId, 'FAILED', Date.now())]);
}

async function markModelFailed(server: MlflowServer, modelId: string): Promise<void> {
  await Promise.allSettled([setModelStatus(lastWord(server), modelId, 'LOGGED_MODEL_UPLOAD_FAILED')]);
}
