import { z } from 'zod';
import { downloadArtifact } from './artifact-store.ts';
import {
  type ChampionDecision,
  type ChampionScore,
  decideChampion,
  type EvaluateModel,
  type PresentChampion,
} from './champion.ts';
import { call, refused, tryCall } from './client.ts';
import { NOTHING, quoted } from './experiment.ts';
import type { MlflowServer } from './http.ts';
import { metricPoints } from './metrics.ts';
import { MODEL_FILE } from './model-folder.ts';
import { trainingNote } from './note.ts';
import type { FinishedRun } from './server-run.ts';
import { CHALLENGER_ALIAS, CHAMPION_ALIAS, TAG, tagList } from './tags.ts';
import type { TrainingRecord } from './training.ts';

/** Most bytes of a champion's model that are fetched to score it. */
const MODEL_LIMIT = 1024 ** 3;

/** What the registered model's page says of it. */
const ABOUT =
  'Trained by Lakelet. The alias champion is the version in use, challenger the loser of the last comparison; a new version becomes champion only where a paired test on held-out rows says that it is better.';

/** One version of a registered model. */
interface ModelVersion {
  readonly version: string;
  readonly runId: string;
  readonly tags: ReadonlyMap<string, string>;
}

const VERSION = z
  .object({
    version: z.coerce.string(),
    run_id: z.string().default(''),
    tags: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
  })
  .transform(
    ({ version, run_id, tags }): ModelVersion => ({
      version,
      runId: run_id,
      tags: new Map(tags.map(({ key, value }) => [key, value])),
    }),
  );

/** A training's place in the registry. */
export interface Registration extends ChampionDecision {
  readonly modelVersion: string;
}

/**
 * Registers the run's model once, and gives it the alias `champion` where it beats the present one; `challenger` goes to
 * the loser. What a killed
 * process left undone is taken up: the version is found by its run, the decision by the version's tags.
 *
 * @param evaluate compares with the present champion on the held-out rows; without it the champion stays
 */
export async function register(
  server: MlflowServer,
  run: FinishedRun,
  training: TrainingRecord,
  evaluate: EvaluateModel | undefined,
): Promise<Registration> {
  const { name } = training.model;
  await ensureModel(server, name);
  const version = (await versionOfRun(server, name, run.runId)) ?? (await createVersion(server, run, training));
  const decided = version.tags.get(TAG.champion);
  const reason = version.tags.get(TAG.championReason);
  if (decided !== undefined && reason !== undefined) {
    return { modelVersion: version.version, champion: decided === 'true', reason };
  }
  const present = await championVersion(server, name);
  const isChampion = present === version.version;
  const before = isChampion ? version.tags.get(TAG.comparedWith) : present;
  const champion = isChampion ? undefined : await presentChampion(server, name, present, training, evaluate);
  const decision =
    isChampion && reason !== undefined ? { champion: true, reason } : decideChampion(rmseOf(training), champion);
  // Both before the alias: by them a later try knows the decision of one that was killed after it.
  if (before !== undefined) await tagVersion(server, name, version.version, TAG.comparedWith, before);
  await tagVersion(server, name, version.version, TAG.championReason, decision.reason);
  if (decision.champion && !isChampion) await setAlias(server, name, CHAMPION_ALIAS, version.version);
  const loser = decision.champion ? before : version.version;
  if (loser !== undefined) await setAlias(server, name, CHALLENGER_ALIAS, loser);
  await tellDecision(server, run.runId, version.version, training, decision, champion?.score);
  await tagVersion(server, name, version.version, TAG.champion, String(decision.champion));
  return { modelVersion: version.version, ...decision };
}

/** Writes what was decided on the run, with the champion's scores as its metrics, and into the version's description. */
async function tellDecision(
  server: MlflowServer,
  runId: string,
  version: string,
  training: TrainingRecord,
  { champion, reason }: ChampionDecision,
  score: ChampionScore | undefined,
): Promise<void> {
  const note = trainingNote(
    training,
    `Version ${version} ${champion ? 'became champion' : 'is a challenger'}: ${reason}`,
  );
  const compared = score && { ...score.metrics, rmse: score.rmse, p_value: score.pValue, difference: score.difference };
  const metrics = Object.entries(compared ?? {}).map(([key, value]) => [`champion/${key}`, value] as const);
  await call(server, {
    method: 'POST',
    path: 'runs/log-batch',
    json: {
      run_id: runId,
      metrics: metricPoints({ metrics: Object.fromEntries(metrics), endedAt: training.endedAt }),
      tags: tagList({
        [TAG.championReason]: reason,
        [TAG.champion]: String(champion),
        'mlflow.note.content': note,
      }),
    },
    answer: NOTHING,
    repeatable: true,
  });
  await call(server, {
    method: 'PATCH',
    path: 'model-versions/update',
    json: { name: training.model.name, version, description: note },
    answer: NOTHING,
    repeatable: true,
  });
}

function rmseOf(training: TrainingRecord): number {
  return training.metrics.rmse ?? Number.NaN;
}

async function ensureModel(server: MlflowServer, name: string): Promise<void> {
  const path = 'registered-models/create';
  const made = await tryCall(server, {
    method: 'POST',
    path,
    json: { name, description: ABOUT },
    answer: NOTHING,
    repeatable: true,
  });
  if (!made.ok && made.errorCode !== 'RESOURCE_ALREADY_EXISTS') throw refused(server, path, made);
}

async function versionOfRun(server: MlflowServer, name: string, runId: string): Promise<ModelVersion | undefined> {
  const { model_versions: versions } = await call(server, {
    method: 'GET',
    path: 'model-versions/search',
    query: { filter: `name = ${quoted(name)} and run_id = ${quoted(runId)}`, max_results: '100' },
    answer: z.object({ model_versions: z.array(VERSION).default([]) }),
    repeatable: true,
  });
  return versions.find((version) => version.runId === runId);
}

async function createVersion(server: MlflowServer, run: FinishedRun, training: TrainingRecord): Promise<ModelVersion> {
  const { model_version: version } = await call(server, {
    method: 'POST',
    path: 'model-versions/create',
    json: {
      name: training.model.name,
      source: `models:/${run.modelId}`,
      run_id: run.runId,
      model_id: run.modelId,
      tags: tagList({
        [TAG.runId]: training.runId,
        [TAG.heldOut]: training.heldOut.id,
        [TAG.rmse]: String(rmseOf(training)),
      }),
    },
    answer: z.object({ model_version: VERSION }),
    repeatable: false,
  });
  return version;
}

const REGISTERED = z.object({
  registered_model: z.object({
    aliases: z.array(z.object({ alias: z.string(), version: z.coerce.string() })).default([]),
  }),
});

/** The version that the alias stands at. */
async function championVersion(server: MlflowServer, name: string): Promise<string | undefined> {
  const { registered_model: model } = await call(server, {
    method: 'GET',
    path: 'registered-models/get',
    query: { name },
    answer: REGISTERED,
    repeatable: true,
  });
  return model.aliases.find(({ alias }) => alias === CHAMPION_ALIAS)?.version;
}

async function presentChampion(
  server: MlflowServer,
  name: string,
  version: string | undefined,
  { heldOut, model }: TrainingRecord,
  evaluate: EvaluateModel | undefined,
): Promise<PresentChampion | undefined> {
  if (version === undefined) return undefined;
  const onnx = evaluate === undefined ? undefined : await modelOf(server, name, version);
  const score = onnx === undefined ? undefined : await evaluate?.(onnx, heldOut, model.features);
  return { version, score };
}

/** The bytes of a version's `model.onnx`; undefined where there is no such version, or it has none that the server hands out. */
async function modelOf(server: MlflowServer, name: string, version: string): Promise<Uint8Array | undefined> {
  const read = await versionFiles(server, name, version);
  return read?.(MODEL_FILE);
}

/** What the server says of a model that is not there; the latter of a name that no model of MLflow's can have. */
const NO_SUCH_MODEL = ['RESOURCE_DOES_NOT_EXIST', 'INVALID_PARAMETER_VALUE'];

/** Reads a file of a model's folder by its path there; undefined where there is none that the server hands out. */
export type ReadModelFile = (path: string) => Promise<Uint8Array | undefined>;

/**
 * Where to read the files of a version's model folder (`MLmodel`, `model.onnx`, …), whoever logged it.
 *
 * @returns undefined where there is no such version
 */
export async function versionFiles(
  server: MlflowServer,
  name: string,
  version: string,
): Promise<ReadModelFile | undefined> {
  // MLflow keeps versions as 32-bit integers, and fails over longer ones.
  if (!/^\d{1,9}$/.test(version)) return undefined;
  const path = 'model-versions/get-download-uri';
  const answer = z.object({ artifact_uri: z.string() });
  const found = await tryCall(server, { method: 'GET', path, query: { name, version }, answer, repeatable: true });
  if (found.ok) return (file) => downloadArtifact(server, found.value.artifact_uri, file, MODEL_LIMIT);
  if (NO_SUCH_MODEL.includes(found.errorCode)) return undefined;
  throw refused(server, path, found);
}

/**
 * The version that an alias (`champion`, `challenger`, one of others) stands at now, in one call.
 *
 * @returns a version as it is, unasked; undefined where there is no such model, or no such alias of it
 */
export async function aliasedVersion(
  server: MlflowServer,
  name: string,
  versionOrAlias: string,
): Promise<string | undefined> {
  if (/^\d+$/.test(versionOrAlias)) return versionOrAlias;
  const found = await tryCall(server, {
    method: 'GET',
    path: 'registered-models/get',
    query: { name },
    answer: REGISTERED,
    repeatable: true,
  });
  if (found.ok) {
    return found.value.registered_model.aliases.find(({ alias }) => alias === versionOrAlias)?.version;
  }
  if (NO_SUCH_MODEL.includes(found.errorCode)) return undefined;
  throw refused(server, 'registered-models/get', found);
}

/**
 * The model that a version or an alias (`champion`, `challenger`) stands for, fetched from the registry.
 *
 * @returns undefined where there is no such model, or none in ONNX that the server hands out
 */
export async function fetchModel(
  server: MlflowServer,
  name: string,
  versionOrAlias: string,
): Promise<{ version: string; onnx: Uint8Array } | undefined> {
  const version = await aliasedVersion(server, name, versionOrAlias);
  const onnx = version === undefined ? undefined : await modelOf(server, name, version);
  return version === undefined || onnx === undefined ? undefined : { version, onnx };
}

async function setAlias(server: MlflowServer, name: string, alias: string, version: string): Promise<void> {
  await call(server, {
    method: 'POST',
    path: 'registered-models/alias',
    json: { name, alias, version },
    answer: NOTHING,
    repeatable: true,
  });
}

async function tagVersion(
  server: MlflowServer,
  name: string,
  version: string,
  key: string,
  value: string,
): Promise<void> {
  await call(server, {
    method: 'POST',
    path: 'model-versions/set-tag',
    json: { name, version, key, value },
    answer: NOTHING,
    repeatable: true,
  });
}
