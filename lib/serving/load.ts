import type { Config } from '../config.ts';
import { LakeletError, printable } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ServedModel } from './model.ts';
import { type Registry, registryOf } from './registry.ts';
import { openScorer } from './scorer.ts';

/** For how long an alias counts as standing where it stood, milliseconds. */
export const REFRESH_MS = 5000;

/** For how long more a registry that was away is left alone, milliseconds: each question may have to wait for its time limit. */
const AWAY_MS = 8000;

/** The models that a process keeps: a forest takes some ten times its file in memory. */
const MOST_MODELS = 4;

/** How a model is looked up. */
export interface LoadOptions {
  /** Where it is said that the registry is away. */
  readonly log?: Pick<Logger, 'warn'>;
  /** For how long an earlier answer of the registry counts, milliseconds; {@link REFRESH_MS} by default, 0 asks anew. */
  readonly refreshMs?: number;
}

/** Where a reference stood when the registry was asked last. */
interface Standing {
  readonly version: string;
  /** When the registry was asked, or may be asked again after it was away; by `performance.now()`. */
  askedAt: number;
}

/** Where references stood, models by version, and what is being asked for: one question for all who wait for its answer. */
const standings = new Map<string, Standing>();
const models = new Map<string, Promise<ServedModel>>();
const asking = new Map<string, Promise<ServedModel>>();

/**
 * The model that a reference stands for now, from the MLflow server of the settings, else from the local records.
 *
 * A version never changes, so it is loaded once and kept. Where an alias stands is asked anew every {@link REFRESH_MS};
 * while the registry is away, the version that it stood at goes on being served, and the log says so.
 *
 * @param reference `NAME@ALIAS` or `NAME@VERSION`
 * @throws LakeletError `MODEL_NOT_FOUND`, `MODEL_UNSUITABLE`, `MODEL_RUNTIME_MISSING`, and what the registry throws where
 *   nothing is at hand
 */
export async function loadServedModel(
  config: Pick<Config, 'root' | 'lakeUri' | 'mlflow'>,
  reference: string,
  options: LoadOptions = {},
): Promise<ServedModel> {
  const registry = registryOf(config);
  const key = JSON.stringify([registry.place, reference]);
  const before = standings.get(key);
  const fresh = before !== undefined && performance.now() - before.askedAt < (options.refreshMs ?? REFRESH_MS);
  if (fresh) return versioned(registry, reference, before.version);
  const running = options.refreshMs === 0 ? undefined : asking.get(key);
  if (running !== undefined) return running;
  const asked = ask(registry, key, reference, before, options);
  asking.set(key, asked);
  try {
    return await asked;
  } finally {
    if (asking.get(key) === asked) asking.delete(key);
  }
}

async function ask(
  registry: Registry,
  key: string,
  reference: string,
  before: Standing | undefined,
  { log }: LoadOptions,
): Promise<ServedModel> {
  const { name, versionOrAlias } = partsOf(reference);
  try {
    const version = await registry.versionOf(name, versionOrAlias, before !== undefined);
    if (version === undefined) throw notFound(reference);
    const model = await versioned(registry, reference, version);
    standings.set(key, { version, askedAt: performance.now() });
    return model;
  } catch (error) {
    if (before === undefined || !(error instanceof LakeletError) || !error.retryable) {
      standings.delete(key);
      throw error;
    }
    log?.warn(
      { code: error.code, reason: error.message, model: reference, version: before.version },
      'the registry is away',
    );
    before.askedAt = performance.now() + AWAY_MS;
    return versioned(registry, reference, before.version);
  }
}

/**
 * The model that a reference stands for at this moment, neither kept nor taken from what is.
 *
 * @param registry where it is looked up
 * @throws LakeletError as {@link loadServedModel}
 */
export async function openServedModel(registry: Registry, reference: string): Promise<ServedModel> {
  const { name, versionOrAlias } = partsOf(reference);
  const version = await registry.versionOf(name, versionOrAlias, false);
  if (version === undefined) throw notFound(reference);
  return load(registry, name, version);
}

/** A version's model, loaded once. */
function versioned(registry: Registry, reference: string, version: string): Promise<ServedModel> {
  const { name } = partsOf(reference);
  const key = JSON.stringify([registry.place, name, version]);
  const loading = models.get(key) ?? load(registry, name, version);
  // The one that was used last stands at the end.
  models.delete(key);
  models.set(key, loading);
  for (const oldest of models.keys()) {
    if (models.size <= MOST_MODELS) break;
    models.delete(oldest);
  }
  loading.catch(() => {
    if (models.get(key) === loading) models.delete(key);
  });
  return loading;
}

async function load(registry: Registry, name: string, version: string): Promise<ServedModel> {
  const reference = `${name}@${version}`;
  const read = await registry.filesOf(name, version);
  const scorer = read === undefined ? undefined : await openScorer(read, reference);
  if (scorer === undefined) throw notFound(reference);
  return { name, version, ...scorer };
}

function partsOf(reference: string): { readonly name: string; readonly versionOrAlias: string } {
  const at = reference.lastIndexOf('@');
  if (at > 0 && at < reference.length - 1) {
    return { name: reference.slice(0, at), versionOrAlias: reference.slice(at + 1) };
  }
  throw new LakeletError(
    'MODEL_NOT_FOUND',
    `${printable(reference, 300)} names no model; give NAME@ALIAS or NAME@VERSION, for example purchase-amount@champion`,
  );
}

function notFound(reference: string): LakeletError {
  return new LakeletError(
    'MODEL_NOT_FOUND',
    `The registry has no model ${printable(reference, 300)} in ONNX; a run trains one and registers it`,
  );
}
