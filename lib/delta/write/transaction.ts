import { randomUUID } from 'node:crypto';
import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';
import type { Action, CommitInfo } from '../log/actions.ts';
import { readCommits } from '../log/replay.ts';
import { commitsAfter } from '../log/segment.ts';
import { checkWritable } from '../protocol/protocol.ts';
import { advanceSnapshot, type Snapshot } from '../snapshot.ts';
import { putCommit } from './commit.ts';
import { checkConflicts } from './conflict.ts';

/** How often a commit that lost its version to others is set anew. */
const ATTEMPTS = 1000;

/** An application's progress that a commit records with its effect. */
export interface TxnOption {
  readonly appId: string;
  /** Absent: the version that the commit gets. */
  readonly version?: number;
}

/** What a transaction wants to commit. */
export interface Intent {
  readonly operation: string;
  readonly operationParameters: Readonly<Record<string, string>>;
  readonly operationMetrics: Readonly<Record<string, string>>;
  readonly actions: readonly Action[];
  /** True where the table was not read to make the actions, so that they stand beside whatever others add. */
  readonly blind: boolean;
  readonly txn?: TxnOption;
  readonly commitInfo?: CommitInfo;
}

/** A commit that was made. */
export interface Committed {
  /** The table after it. */
  readonly snapshot: Snapshot;
}

/** The version that a table's txn says is done already, or undefined where the work is still to be done. */
export function doneAlready(snapshot: Snapshot, txn: TxnOption | undefined): number | undefined {
  if (txn === undefined) return undefined;
  const known = snapshot.state.txns.get(txn.appId);
  if (known === undefined || (txn.version !== undefined && known.version < txn.version)) return undefined;
  return known.version;
}

/**
 * Commits on top of a snapshot. A version that others took meanwhile is read, held against the intent, and the commit set
 * anew after it, without writing data again.
 *
 * @throws LakeletError the conflicts of {@link checkConflicts}, `UNSUPPORTED_FEATURE`, those of the store
 */
export async function commit(store: ObjectStore, base: Snapshot, intent: Intent): Promise<Committed> {
  const txnId = randomUUID();
  let snapshot = base;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const version = snapshot.version + 1;
    const actions = actionsOf(intent, snapshot, version, txnId);
    const outcome = await putCommit(store, version, txnId, actions);
    if (outcome === 'committed') {
      const own = { version, key: '', lastModified: Date.now(), actions };
      return { snapshot: advanceSnapshot(store, snapshot, [own]) };
    }
    snapshot = await rebase(store, snapshot, intent);
  }
  throw new LakeletError(
    'COMMIT_CONTENDED',
    `Others took ${ATTEMPTS} versions of ${printable(store.uri, 300)} one after the other; nothing was changed: try again later`,
    { retryable: true },
  );
}

/** The newest snapshot, after every commit on the way was held against the intent. */
async function rebase(store: ObjectStore, snapshot: Snapshot, intent: Intent): Promise<Snapshot> {
  const claims = { readsTable: !intent.blind, ...(intent.txn !== undefined && { appId: intent.txn.appId }) };
  const commits = [];
  for await (const commit of readCommits(store, await commitsAfter(store, snapshot.version))) {
    checkConflicts(claims, commit, store.uri);
    commits.push(commit);
  }
  const next = advanceSnapshot(store, snapshot, commits);
  checkWritable(next.protocol, next, store.uri);
  return next;
}

function actionsOf(intent: Intent, snapshot: Snapshot, version: number, txnId: string): Action[] {
  const commitInfo: CommitInfo = {
    ...intent.commitInfo,
    timestamp: Date.now(),
    operation: intent.operation,
    operationParameters: intent.operationParameters,
    readVersion: snapshot.version,
    isolationLevel: 'Serializable',
    isBlindAppend: intent.blind,
    operationMetrics: intent.operationMetrics,
    engineInfo: 'Lakelet',
    txnId,
  };
  const { txn } = intent;
  return [
    { commitInfo },
    ...(txn === undefined
      ? []
      : [{ txn: { appId: txn.appId, version: txn.version ?? version, lastUpdated: Date.now() } }]),
    ...intent.actions,
  ];
}
