import { z } from 'zod';
import { mapAll } from '../concurrency.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type ChampionDecision, decideChampion, type EvaluateModel } from './champion.ts';
import { keyPart, parseStored, readModel, recordKey } from './record-store.ts';
import { CHALLENGER_ALIAS, CHAMPION_ALIAS } from './tags.ts';
import type { TrainingRecord } from './training.ts';

const ENTRY = z.object({ version: z.number(), runId: z.string(), champion: z.boolean(), reason: z.string() });

/** How many versions' files are read at once. */
const READS_AT_ONCE = 32;

/** One version of a model in the local registry. */
export type LocalVersion = z.output<typeof ENTRY>;

/**
 * Registers a kept training's model in the local registry: one file a version, `registry/<model>/<version>.json`, written
 * only where it is not there. The champion is the last version that became one, so that a version and its decision are
 * one write; who loses the race for a number decides again against what the winner left.
 */
export async function registerLocally(
  store: ObjectStore,
  training: TrainingRecord,
  evaluate: EvaluateModel,
): Promise<LocalVersion> {
  const { name } = training.model;
  for (;;) {
    const versions = await localVersions(store, name);
    const present = versions.find(({ runId }) => runId === training.runId);
    if (present !== undefined) return present;
    const decision = await decide(store, training, await championOf(store, versions), evaluate);
    const entry = { version: (versions.at(-1)?.version ?? 0) + 1, runId: training.runId, ...decision };
    const key = `${registryFolder(name)}${String(entry.version).padStart(10, '0')}.json`;
    if ((await store.putIfAbsent(key, new TextEncoder().encode(`${JSON.stringify(entry)}\n`))) === 'created')
      return entry;
  }
}

async function decide(
  store: ObjectStore,
  training: TrainingRecord,
  champion: LocalVersion | undefined,
  evaluate: EvaluateModel,
): Promise<ChampionDecision> {
  const rmse = training.metrics.rmse ?? Number.NaN;
  if (champion === undefined) return decideChampion(rmse, undefined);
  const onnx = await readModel(store, recordKey(champion.runId));
  const score = await evaluate(onnx, training.heldOut, training.model.features);
  return decideChampion(rmse, { version: String(champion.version), score });
}

/** The last version that became champion and whose record is still there: who removes a record gives its place up. */
async function championOf(store: ObjectStore, versions: readonly LocalVersion[]): Promise<LocalVersion | undefined> {
  for (const version of versions.toReversed()) {
    if (version.champion && (await store.head(recordKey(version.runId))) !== undefined) return version;
  }
  return undefined;
}

/** All versions of a model, ascending. */
export async function localVersions(store: ObjectStore, name: string): Promise<LocalVersion[]> {
  const keys = (await Array.fromAsync(store.list(registryFolder(name)))).map(({ key }) => key);
  const read = async (key: string): Promise<LocalVersion> => parseStored(store, key, await store.get(key), ENTRY);
  const versions = await mapAll(keys, READS_AT_ONCE, read);
  return versions.sort((a, b) => a.version - b.version);
}

/** The model that a version or an alias (`champion`, `challenger`) stands for; undefined where there is none. */
export async function localModel(
  store: ObjectStore,
  name: string,
  versionOrAlias: string,
): Promise<{ version: string; onnx: Uint8Array } | undefined> {
  const found = await localVersion(store, name, versionOrAlias);
  if (found === undefined) return undefined;
  return { version: String(found.version), onnx: await localOnnx(store, found) };
}

/** The version that a version's number or an alias stands for; undefined where there is none. */
export async function localVersion(
  store: ObjectStore,
  name: string,
  versionOrAlias: string,
): Promise<LocalVersion | undefined> {
  const versions = await localVersions(store, name);
  if (versionOrAlias === CHAMPION_ALIAS) return championOf(store, versions);
  if (versionOrAlias === CHALLENGER_ALIAS) return challengerOf(store, versions);
  return versions.find(({ version }) => String(version) === versionOrAlias);
}

/**
 * The bytes of a version's model.
 *
 * @throws LakeletError `MLFLOW_RECORD_CORRUPT`; what the store throws
 */
export async function localOnnx(store: ObjectStore, { runId }: LocalVersion): Promise<Uint8Array> {
  return readModel(store, recordKey(runId));
}

/** The loser of the last comparison whose record is still there: a version that did not win, or the champion before one that did. */
async function challengerOf(store: ObjectStore, versions: readonly LocalVersion[]): Promise<LocalVersion | undefined> {
  for (const [at, version] of [...versions.entries()].toReversed()) {
    const loser = version.champion ? await championOf(store, versions.slice(0, at)) : version;
    if (loser !== undefined && (await store.head(recordKey(loser.runId))) !== undefined) return loser;
  }
  return undefined;
}

function registryFolder(name: string): string {
  return `registry/${keyPart(name)}/`;
}
