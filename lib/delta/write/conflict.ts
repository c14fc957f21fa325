import { LakeletError, printable } from '../../errors.ts';
import { commitInfoOf } from '../log/history.ts';
import type { ReadCommit } from '../log/replay.ts';

/** What a transaction has read and does, as far as others' commits may stand against it. */
export interface Claims {
  /** True where it read the whole table, so that files added or removed meanwhile stand against it. */
  readonly readsTable: boolean;
  /** The application whose progress it records. */
  readonly appId?: string;
}

/**
 * Refuses to go on where a commit that was made meanwhile stands against a transaction; the errors carry Spark's names.
 * A blind append meets nothing but changes of protocol, schema and its own application's progress.
 *
 * @throws LakeletError `PROTOCOL_CHANGED`, `METADATA_CHANGED`, `CONCURRENT_TRANSACTION`, `CONCURRENT_APPEND`,
 *   `CONCURRENT_DELETE_READ`; all may be tried again from a fresh table
 */
export function checkConflicts(claims: Claims, commit: ReadCommit, uri: string): void {
  for (const { protocol, metaData, txn, add, remove } of commit.actions) {
    if (protocol !== undefined) throw conflict('PROTOCOL_CHANGED', 'ProtocolChanged', commit, uri);
    if (metaData !== undefined) throw conflict('METADATA_CHANGED', 'MetadataChanged', commit, uri);
    if (txn !== undefined && txn.appId === claims.appId) {
      throw conflict('CONCURRENT_TRANSACTION', 'ConcurrentTransaction', commit, uri);
    }
    if (!claims.readsTable) continue;
    if (add?.dataChange === true) throw conflict('CONCURRENT_APPEND', 'ConcurrentAppend', commit, uri);
    if (remove !== undefined) throw conflict('CONCURRENT_DELETE_READ', 'ConcurrentDeleteRead', commit, uri);
  }
}

function conflict(code: string, name: string, commit: ReadCommit, uri: string): LakeletError {
  const operation = commitInfoOf(commit)?.operation;
  const by = typeof operation === 'string' ? ` (${printable(operation, 100)})` : '';
  return new LakeletError(
    code,
    `${name}: version ${commit.version}${by} of ${printable(uri, 300)} was made meanwhile and stands against this one; nothing was changed: refresh the table and try again`,
    { retryable: true },
  );
}
