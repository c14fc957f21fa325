import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';
import { isRecord } from '../schema/types.ts';
import type { CommitInfo } from './actions.ts';
import { type ReadCommit, readCommits } from './replay.ts';
import { allCommits } from './segment.ts';
import { timeText } from './time.ts';

/** One commit, by the names of Spark's DESCRIBE HISTORY. */
export interface HistoryEntry {
  readonly version: number;
  /** ISO 8601, UTC: the in-commit timestamp where the table has them, else when the store says the commit was written. */
  readonly timestamp: string;
  readonly operation?: string;
  readonly operationParameters?: Readonly<Record<string, unknown>>;
  readonly operationMetrics?: Readonly<Record<string, unknown>>;
  readonly isBlindAppend?: boolean;
  readonly readVersion?: number;
  readonly isolationLevel?: string;
  readonly engineInfo?: string;
  readonly userMetadata?: string;
  readonly txnId?: string;
}

/** The commits up to `version` that the log still has, newest first. */
export async function readHistory(store: ObjectStore, version: number, limit?: number): Promise<HistoryEntry[]> {
  const commits = (await allCommits(store)).filter((commit) => commit.version <= version);
  const wanted = limit === undefined ? commits : commits.slice(Math.max(0, commits.length - limit));
  const entries: HistoryEntry[] = [];
  for await (const commit of readCommits(store, wanted)) entries.push(entryOf(commit));
  return entries.reverse();
}

/** The commitInfo among a commit's actions. */
export function commitInfoOf(commit: ReadCommit): CommitInfo | undefined {
  return commit.actions.find((action) => action.commitInfo !== undefined)?.commitInfo;
}

/**
 * The newest version that was there at an instant. Where clocks went back, a commit counts as one millisecond later than
 * the one before it.
 *
 * @param instant milliseconds since 1970 (UTC)
 * @throws LakeletError `VERSION_NOT_FOUND` where the table, or what is left of its log, is younger
 */
export async function versionAt(store: ObjectStore, instant: number): Promise<number> {
  let found: number | undefined;
  let last = Number.NEGATIVE_INFINITY;
  for await (const commit of readCommits(store, await allCommits(store))) {
    last = Math.max(timeOf(commit), last + 1);
    if (last > instant) break;
    found = commit.version;
  }
  if (found !== undefined) return found;
  const oldest = Number.isFinite(last) ? `; its oldest version is of ${timeText(last)}` : '';
  throw new LakeletError(
    'VERSION_NOT_FOUND',
    `The table ${printable(store.uri, 300)} has no version as old as ${timeText(instant)}${oldest}`,
  );
}

function timeOf(commit: ReadCommit): number {
  const time = commitInfoOf(commit)?.inCommitTimestamp;
  return typeof time === 'number' ? time : commit.lastModified;
}

function entryOf(commit: ReadCommit): HistoryEntry {
  const info = commitInfoOf(commit) ?? {};
  const text = (name: string): Record<string, string> =>
    typeof info[name] === 'string' ? { [name]: String(info[name]) } : {};
  const object = (name: string): Record<string, unknown> => (isRecord(info[name]) ? { [name]: info[name] } : {});
  return {
    version: commit.version,
    timestamp: timeText(timeOf(commit)),
    ...text('operation'),
    ...object('operationParameters'),
    ...object('operationMetrics'),
    ...(typeof info.isBlindAppend === 'boolean' && { isBlindAppend: info.isBlindAppend }),
    ...(typeof info.readVersion === 'number' && { readVersion: info.readVersion }),
    ...text('isolationLevel'),
    ...text('engineInfo'),
    ...text('userMetadata'),
    ...text('txnId'),
  };
}
