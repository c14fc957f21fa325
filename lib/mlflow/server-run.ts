import { z } from 'zod';
import { uploadArtifact } from './artifact-store.ts';
import { call } from './client.ts';
import { heldOutDataset, type MlflowDataset, mlflowDataset } from './dataset.ts';
import { NOTHING, RUN, type RunInfo, runsByTag } from './experiment.ts';
import type { MlflowServer } from './http.ts';
import { createModel, pendingModels, setModelStatus } from './logged-model.ts';
import { curvePoints, type MetricPoint, metricPoints } from './metrics.ts';
import { modelFolder } from './model-folder.ts';
import { trainingNote } from './note.ts';
import { TAG, tagList } from './tags.ts';
import type { ComparisonRun, RunArtifact, TrainingRecord } from './training.ts';

/** The tag by which MLflow shows a run below another. */
const PARENT = 'mlflow.parentRunId';

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
  for (const run of runs) await giveUp(server, experiment, run);
  const run = await createRun(server, experiment, runName(training), training.startedAt, {
    ...training.tags,
    [TAG.runId]: training.runId,
    [TAG.heldOut]: training.heldOut.id,
    'mlflow.note.content': trainingNote(training),
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

/** Marks what a half-logged run left: its models, its children, and last the run itself, by which the others are found. */
async function giveUp(server: MlflowServer, experiment: string, run: RunInfo): Promise<void> {
  const children = await runsByTag(server, experiment, PARENT, run.runId);
  for (const { runId, status } of children) {
    if (status !== 'FAILED') await endRun(server, runId, 'FAILED', Date.now());
  }
  for (const modelId of await pendingModels(server, experiment, run.runId))
    await setModelStatus(server, modelId, 'LOGGED_MODEL_UPLOAD_FAILED');
  if (run.status !== 'FAILED') await endRun(server, run.runId, 'FAILED', Date.now());
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
  const { model, heldOut, endedAt } = training;
  const learnt = mlflowDataset(training.dataset);
  const scored = heldOutDataset(training.dataset, heldOut);
  await logInputs(server, run.runId, [
    ['training', learnt],
    ['evaluation', scored],
  ]);
  const logged = await createModel(server, experiment, run.runId, training);
  try {
    const origin = { runId: run.runId, modelId: logged.modelId, artifactUri: logged.artifactUri, createdAt: endedAt };
    for (const { path, body } of modelFolder(model, origin))
      await uploadArtifact(server, logged.artifactUri, path, body);
    await setModelStatus(server, logged.modelId, 'LOGGED_MODEL_READY');
  } catch (error) {
    await markModelFailed(server, logged.modelId);
    throw error;
  }
  await post(server, 'runs/outputs', { run_id: run.runId, models: [{ model_id: logged.modelId, step: 0 }] });
  const of = { model_id: logged.modelId };
  await logBatch(server, run.runId, {
    params: training.params,
    metrics: [
      ...about(metricPoints(training), { ...of, ...named(scored) }),
      ...about(curvePoints(training.curves ?? [], endedAt), { ...of, ...named(learnt) }),
    ],
    tags: { [TAG.modelId]: logged.modelId },
  });
  for (const { path, body } of artifactsOf(training)) await uploadArtifact(server, run.artifactUri, path, body);
  return logged.modelId;
}

function artifactsOf({ model, artifacts = [] }: TrainingRecord): readonly RunArtifact[] {
  if (model.importances === undefined) return artifacts;
  const body = new TextEncoder().encode(JSON.stringify(model.importances, undefined, 2));
  return [{ path: 'feature_importances.json', body }, ...artifacts];
}

function named({ name, digest }: MlflowDataset): Record<string, string> {
  return { dataset_name: name, dataset_digest: digest };
}

/** The points with what they are about: a model, a dataset. */
function about(points: readonly MetricPoint[], what: Readonly<Record<string, string>>): MetricPoint[] {
  return points.map((point) => ({ ...point, ...what }));
}

async function logInputs(
  server: MlflowServer,
  runId: string,
  datasets: readonly (readonly ['training' | 'evaluation', MlflowDataset])[],
): Promise<void> {
  await post(server, 'runs/log-inputs', {
    run_id: runId,
    datasets: datasets.map(([context, dataset]) => ({
      tags: [{ key: 'mlflow.data.context', value: context }],
      dataset,
    })),
  });
}

async function logComparison(
  server: MlflowServer,
  experiment: string,
  parent: string,
  training: TrainingRecord,
  child: ComparisonRun,
): Promise<void> {
  const run = await createRun(server, experiment, child.name, training.startedAt, { [PARENT]: parent });
  try {
    const scored = heldOutDataset(training.dataset, training.heldOut);
    await logInputs(server, run.runId, [
      ['training', mlflowDataset(training.dataset)],
      ['evaluation', scored],
    ]);
    const points = metricPoints({ metrics: child.metrics, endedAt: training.endedAt });
    await logBatch(server, run.runId, { params: child.params, metrics: about(points, named(scored)), tags: {} });
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
  run: {
    readonly params: TrainingRecord['params'];
    readonly metrics: readonly MetricPoint[];
    readonly tags: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const params = Object.entries(run.params).map(([key, value]) => ({ key, value: String(value) }));
  for (let call = 0; call === 0 || call * 100 < params.length || call * 1000 < run.metrics.length; call++) {
    await post(server, 'runs/log-batch', {
      run_id: runId,
      params: params.slice(call * 100, (call + 1) * 100),
      metrics: run.metrics.slice(call * 1000, (call + 1) * 1000),
      tags: call === 0 ? tagList(run.tags) : [],
    });
  }
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
