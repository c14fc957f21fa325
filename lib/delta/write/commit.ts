import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';
import type { Action } from '../log/actions.ts';
import { commitInfoOf } from '../log/history.ts';
import { commitKey } from '../log/path.ts';
import { readCommit } from '../log/replay.ts';

const encoder = new TextEncoder();

/**
 * Puts a commit at a version, if that is free. Where the store's answer is lost, the version is read back and the commit
 * known by its own `txnId`.
 *
 * @returns `committed`, or `taken` where another commit has the version
 * @throws LakeletError of the store where the outcome is a failure, or can't be found out
 */
export async function putCommit(
  store: ObjectStore,
  version: number,
  txnId: string,
  actions: readonly Action[],
): Promise<'committed' | 'taken'> {
  const body = encoder.encode(`${actions.map((action) => JSON.stringify(action)).join('\n')}\n`);
  try {
    const outcome = await store.putIfAbsent(commitKey(version), body);
    if (outcome === 'created') return 'committed';
  } catch (error) {
    // A store without put-if-absent may have put the commit over another's: that it is there proves nothing.
    if (error instanceof LakeletError && error.code === 'NOT_SUPPORTED') throw error;
    if ((await ownerOf(store, version, error)) === txnId) return 'committed';
    throw error;
  }
  return (await ownerOf(store, version)) === txnId ? 'committed' : 'taken';
}

async function ownerOf(store: ObjectStore, version: number, cause?: unknown): Promise<unknown> {
  try {
    const commit = await readCommit(store, { version, key: commitKey(version), lastModified: 0 });
    return commitInfoOf(commit)?.txnId;
  } catch (error) {
    if (cause === undefined) throw error;
    if (error instanceof LakeletError && error.code === 'NOT_FOUND') return undefined;
    throw new LakeletError(
      'COMMIT_UNKNOWN',
      `Whether version ${version} of ${printable(store.uri, 300)} was written is not known, since the store fails; look at the table's history before you write again`,
      { cause },
    );
  }
}
