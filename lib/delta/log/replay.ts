import { mapInOrder } from '../../concurrency.ts';
import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';
import type { ParquetEngine } from '../engine.ts';
import {
  type Action,
  type AddFile,
  checkAction,
  type DomainMetadata,
  type Metadata,
  type Protocol,
  parseActions,
  type RemoveFile,
  type Txn,
} from './actions.ts';
import { LOG_FOLDER } from './path.ts';
import type { CommitFile, LogSegment } from './segment.ts';

/** How many commits are fetched at once: a hundred of them take a few round trips. */
const COMMITS_AT_ONCE = 32;
/** How many files of a checkpoint are read at once; each may hold many actions. */
const PARTS_AT_ONCE = 4;

/** The table's state at one version, as reconciling its actions leaves it (PROTOCOL.md, "Action Reconciliation"). */
export interface LogState {
  readonly protocol: Protocol | undefined;
  readonly metadata: Metadata | undefined;
  /** Live files, by {@link fileId}. */
  readonly adds: ReadonlyMap<string, AddFile>;
  /** Tombstones, by {@link fileId}. */
  readonly removes: ReadonlyMap<string, RemoveFile>;
  readonly txns: ReadonlyMap<string, Txn>;
  readonly domains: ReadonlyMap<string, DomainMetadata>;
}

/** A commit with its actions. */
export interface ReadCommit extends CommitFile {
  readonly actions: readonly Action[];
}

/** The state that a segment of the log adds up to. */
export async function replay(store: ObjectStore, engine: ParquetEngine, segment: LogSegment): Promise<LogState> {
  const state = new Replay();
  const parts = (segment.checkpoint?.parts ?? []).map(({ key }) => key);
  for await (const action of checkpointActions(store, engine, parts)) state.apply(action);
  for await (const commit of readCommits(store, segment.commits)) {
    for (const action of commit.actions) state.apply(action);
  }
  return state;
}

/** The state after further commits, on top of nothing where no base is given; the one that is given stays as it is. */
export function advance(base: LogState | undefined, commits: readonly ReadCommit[]): LogState {
  const state = new Replay(base);
  for (const commit of commits) {
    for (const action of commit.actions) state.apply(action);
  }
  return state;
}

/** Reads commits in order, many at a time. */
export function readCommits(store: ObjectStore, commits: readonly CommitFile[]): AsyncGenerator<ReadCommit> {
  return mapInOrder(commits, COMMITS_AT_ONCE, (commit) => readCommit(store, commit));
}

/** @throws LakeletError `LOG_CORRUPT` */
export async function readCommit(store: ObjectStore, commit: CommitFile): Promise<ReadCommit> {
  const text = new TextDecoder().decode(await store.get(commit.key));
  return { ...commit, actions: parseActions(text, `${store.uri}/${commit.key}`) };
}

/** A file's identity in the log: its path, and its deletion vector's unique id where it has one. */
export function fileId({ path, deletionVector }: AddFile | RemoveFile): string {
  if (deletionVector === undefined) return path;
  const { storageType, pathOrInlineDv, offset } = deletionVector;
  return `${path}\0${storageType}${pathOrInlineDv}${offset === undefined ? '' : `@${offset}`}`;
}

class Replay implements LogState {
  protocol: Protocol | undefined;
  metadata: Metadata | undefined;
  readonly adds: Map<string, AddFile>;
  readonly removes: Map<string, RemoveFile>;
  readonly txns: Map<string, Txn>;
  readonly domains: Map<string, DomainMetadata>;

  constructor(base?: LogState) {
    this.protocol = base?.protocol;
    this.metadata = base?.metadata;
    this.adds = new Map(base?.adds);
    this.removes = new Map(base?.removes);
    this.txns = new Map(base?.txns);
    this.domains = new Map(base?.domains);
  }

  apply(action: Action): void {
    const { add, remove, metaData, protocol, txn, domainMetadata } = action;
    if (add !== undefined) {
      this.adds.set(fileId(add), add);
      this.removes.delete(fileId(add));
    }
    if (remove !== undefined) {
      this.adds.delete(fileId(remove));
      this.removes.set(fileId(remove), remove);
    }
    if (metaData !== undefined) this.metadata = metaData;
    if (protocol !== undefined) this.protocol = protocol;
    if (txn !== undefined) this.txns.set(txn.appId, txn);
    if (domainMetadata !== undefined) {
      if (domainMetadata.removed) this.domains.delete(domainMetadata.domain);
      else this.domains.set(domainMetadata.domain, domainMetadata);
    }
  }
}

/** The actions of a checkpoint's files, and of the sidecars that they name (PROTOCOL.md, "V2 Spec"). */
async function* checkpointActions(
  store: ObjectStore,
  engine: ParquetEngine,
  keys: readonly string[],
): AsyncGenerator<Action> {
  const sidecars: string[] = [];
  const read = (key: string): Promise<Action[]> => Array.fromAsync(fileActions(store, engine, key));
  for await (const actions of mapInOrder(keys, PARTS_AT_ONCE, read)) {
    for (const action of actions) {
      if (action.sidecar === undefined) yield action;
      else sidecars.push(sidecarKey(action.sidecar.path));
    }
  }
  for await (const actions of mapInOrder(sidecars, PARTS_AT_ONCE, read)) yield* actions;
}

function sidecarKey(path: string): string {
  const name = decodeURIComponent(path);
  return name.includes('/') ? name : `${LOG_FOLDER}/_sidecars/${name}`;
}

/** What stores and engines say of a file that is not there. */
const GONE = ['NOT_FOUND', 'FILE_MISSING'];

async function* fileActions(store: ObjectStore, engine: ParquetEngine, key: string): AsyncGenerator<Action> {
  const where = `${store.uri}/${key}`;
  try {
    if (key.endsWith('.json')) {
      yield* parseActions(new TextDecoder().decode(await store.get(key)), where);
      return;
    }
    for await (const rows of engine.readCheckpoint(store, key)) {
      for (const row of rows) yield checkAction(row, where);
    }
  } catch (error) {
    if (error instanceof LakeletError && !GONE.includes(error.code)) throw error;
    throw new LakeletError(
      'LOG_CORRUPT',
      `The checkpoint ${printable(where, 300)} can't be read; restore it from a copy, or remove _last_checkpoint and the checkpoint where all commits are still there`,
      { cause: error },
    );
  }
}
