import { type Config, recordsUri } from '../config.ts';
import {
  aliasedVersion,
  localOnnx,
  localVersion,
  type MlflowServer,
  MODEL_FILE,
  type ReadModelFile,
  versionFiles,
} from '../mlflow/index.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';

/** Where registered models are looked up. */
export interface Registry {
  /** Tells it from other registries. */
  readonly place: string;
  /**
   * The version that an alias stands at now; a version is given back.
   *
   * @param briefly gives up soon: who asks has an older answer
   * @returns undefined where there is none
   */
  versionOf(name: string, versionOrAlias: string, briefly: boolean): Promise<string | undefined>;
  /** Where to read a version's files; undefined where there is no such version. */
  filesOf(name: string, version: string): Promise<ReadModelFile | undefined>;
}

/** How long a server may take to tell where an alias stands, when another answer is at hand, milliseconds. */
const BRIEF_MS = 2000;

/**
 * The registry of the settings: the MLflow server, or the local records where there is none.
 *
 * @param records where those are, if not where the settings say
 */
export function registryOf(config: Pick<Config, 'root' | 'lakeUri' | 'mlflow'>, records?: ObjectStore): Registry {
  const { trackingUri, ...login } = config.mlflow;
  return trackingUri === undefined
    ? localRegistry(records ?? openStore(recordsUri(config)))
    : serverRegistry({ trackingUri, ...login });
}

function serverRegistry(server: MlflowServer): Registry {
  return {
    place: JSON.stringify([server.trackingUri, server.username, server.token]),
    versionOf: (name, versionOrAlias, briefly) =>
      aliasedVersion(briefly ? { ...server, attempts: 1, timeoutMs: BRIEF_MS } : server, name, versionOrAlias),
    filesOf: (name, version) => versionFiles(server, name, version),
  };
}

/** The local records hold models of Lakelet's own alone, which need no other file. */
function localRegistry(store: ObjectStore): Registry {
  return {
    place: store.uri,
    async versionOf(name, versionOrAlias) {
      const found = await localVersion(store, name, versionOrAlias);
      return found === undefined ? undefined : String(found.version);
    },
    async filesOf(name, version) {
      const found = await localVersion(store, name, version);
      if (found === undefined) return undefined;
      return async (path) => (path === MODEL_FILE ? localOnnx(store, found) : undefined);
    },
  };
}
