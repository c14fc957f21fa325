import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';
import { isRecord } from '../schema/types.ts';
import {
  type CheckpointPart,
  commitKey,
  keyBeforeVersion,
  LAST_CHECKPOINT_KEY,
  LOG_FOLDER,
  parseLogKey,
} from './path.ts';

/** A commit that must be read. */
export interface CommitFile {
  readonly version: number;
  readonly key: string;
  /** Milliseconds since 1970 (UTC), as the store tells it. */
  readonly lastModified: number;
}

/** A complete checkpoint. */
export interface CheckpointFiles {
  readonly version: number;
  readonly parts: readonly CheckpointPart[];
}

/** The files of the log from which one version of the table is made. */
export interface LogSegment {
  readonly version: number;
  readonly checkpoint?: CheckpointFiles;
  /** Those after the checkpoint, ascending, without a gap. */
  readonly commits: readonly CommitFile[];
}

/** A log of so many files is listed from where `_last_checkpoint` leads, a shorter one at once: S3 lists 1000 in one request. */
const SHORT_LOG = 1000;

/**
 * Finds the files of a version, the newest where none is asked for. `_last_checkpoint` is a hint only, for long logs: where
 * it leads nowhere the whole log is listed.
 *
 * @returns undefined where there is no log at all
 * @throws LakeletError `VERSION_NOT_FOUND`, `LOG_CORRUPT` (a commit is missing)
 */
export async function findSegment(store: ObjectStore, version?: number): Promise<LogSegment | undefined> {
  const listing =
    (await listLog(store, 0, SHORT_LOG)) ?? (await listFromHint(store, version)) ?? (await listLog(store, 0));
  if (listing === undefined || (listing.commits.length === 0 && listing.checkpoints.length === 0)) return undefined;
  return segmentOf(store, listing, version);
}

/** The log from the checkpoint that `_last_checkpoint` names; undefined where a version can't be made from there. */
async function listFromHint(store: ObjectStore, version: number | undefined): Promise<Listing | undefined> {
  const hint = await lastCheckpoint(store);
  if (hint === undefined || hint <= 0 || (version !== undefined && hint > version)) return undefined;
  const listing = await listLog(store, hint);
  const found = listing.checkpoints.some((checkpoint) => checkpoint.version >= hint);
  return found && (version === undefined || version <= newestOf(listing)) ? listing : undefined;
}

/** True where there is a log, as far as its first file tells. */
export async function hasLog(store: ObjectStore): Promise<boolean> {
  for await (const { key, lastModified } of store.list(`${LOG_FOLDER}/`)) {
    const file = parseLogKey(key, lastModified);
    if (file?.kind === 'commit' || file?.parts === 1) return true;
  }
  return false;
}

/** The commits after `version`, without a gap; empty where there is none. */
export async function commitsAfter(store: ObjectStore, version: number): Promise<readonly CommitFile[]> {
  const { commits } = await listLog(store, version + 1);
  checkContiguous(store, commits, version + 1);
  return commits;
}

/** Every commit that the log still has, ascending. */
export async function allCommits(store: ObjectStore): Promise<readonly CommitFile[]> {
  return (await listLog(store, 0)).commits;
}

interface Listing {
  readonly commits: readonly CommitFile[];
  readonly checkpoints: readonly CheckpointFiles[];
}

async function listLog(store: ObjectStore, from: number): Promise<Listing>;
/** Undefined where there are `limit` files or more. */
async function listLog(store: ObjectStore, from: number, limit: number): Promise<Listing | undefined>;
async function listLog(
  store: ObjectStore,
  from: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<Listing | undefined> {
  let files = 0;
  const commits: CommitFile[] = [];
  const parts: CheckpointPart[] = [];
  const options = from === 0 ? {} : { startAfter: keyBeforeVersion(from) };
  for await (const { key, lastModified } of store.list(`${LOG_FOLDER}/`, options)) {
    // The log's own names begin with a digit; what comes after them (_sidecars, _last_checkpoint) is not listed.
    if (key.charCodeAt(LOG_FOLDER.length + 1) > 0x39) break;
    if (++files >= limit) return undefined;
    const file = parseLogKey(key, lastModified);
    if (file?.kind === 'commit') commits.push({ version: file.version, key, lastModified });
    else if (file !== undefined) parts.push(file);
  }
  return { commits, checkpoints: completeCheckpoints(parts) };
}

/** The checkpoints of which no part is missing, ascending; of one version a single file is preferred. */
function completeCheckpoints(parts: readonly CheckpointPart[]): CheckpointFiles[] {
  const groups = new Map<string, CheckpointPart[]>();
  for (const part of parts) {
    const group = `${part.version}/${part.parts}/${part.uuid ?? ''}`;
    groups.set(group, [...(groups.get(group) ?? []), part]);
  }
  return [...groups.values()]
    .filter((group) => group.length === group[0]?.parts)
    .map((group) => ({ version: group[0]?.version ?? 0, parts: group.toSorted((a, b) => a.part - b.part) }))
    .sort((a, b) => a.version - b.version || b.parts.length - a.parts.length);
}

function newestOf({ commits, checkpoints }: Listing): number {
  return Math.max(commits.at(-1)?.version ?? -1, checkpoints.at(-1)?.version ?? -1);
}

function segmentOf(store: ObjectStore, listing: Listing, wanted: number | undefined): LogSegment {
  const newest = newestOf(listing);
  const version = wanted ?? newest;
  const checkpoint = listing.checkpoints.findLast((files) => files.version <= version);
  const first = checkpoint === undefined ? 0 : checkpoint.version + 1;
  if (
    version > newest ||
    (checkpoint === undefined && (listing.commits[0]?.version ?? 0) > 0 && wanted !== undefined)
  ) {
    const oldest = listing.commits[0]?.version ?? 0;
    const earliest = oldest === 0 ? 0 : (listing.checkpoints[0]?.version ?? oldest);
    throw new LakeletError(
      'VERSION_NOT_FOUND',
      `The table ${printable(store.uri, 300)} has no version ${version}: versions ${earliest} to ${newest} can be opened`,
    );
  }
  const commits = listing.commits.filter((commit) => commit.version >= first && commit.version <= version);
  checkContiguous(store, commits, first, version);
  return { version, commits, ...(checkpoint !== undefined && { checkpoint }) };
}

function checkContiguous(store: ObjectStore, commits: readonly CommitFile[], first: number, last?: number): void {
  const end = last ?? commits.at(-1)?.version ?? first - 1;
  for (let version = first; version <= end; version++) {
    if (commits[version - first]?.version === version) continue;
    throw new LakeletError(
      'LOG_CORRUPT',
      `The log of ${printable(store.uri, 300)} has a gap: ${commitKey(version)} is missing; restore that file from a copy`,
    );
  }
}

/** The version that `_last_checkpoint` names, or undefined where it is absent or makes no sense (it is but a hint). */
async function lastCheckpoint(store: ObjectStore): Promise<number | undefined> {
  let text: string;
  try {
    text = new TextDecoder().decode(await store.get(LAST_CHECKPOINT_KEY));
  } catch (error) {
    if (error instanceof LakeletError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) && Number.isSafeInteger(json.version) ? Number(json.version) : undefined;
  } catch {
    return undefined;
  }
}
