/** What a file of `_delta_log` is, told by its name (PROTOCOL.md, "Delta Log Entries" and "Checkpoint Naming Scheme"). */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: number; readonly key: string; readonly lastModified: number }
  | CheckpointPart;

/** One file of a checkpoint. */
export interface CheckpointPart {
  readonly kind: 'checkpoint';
  readonly version: number;
  readonly key: string;
  /** Which of how many parts; 1 of 1 where the checkpoint is one file. */
  readonly part: number;
  readonly parts: number;
  /** Set where the name carries a UUID (V2 checkpoints). */
  readonly uuid?: string;
}

/** The log's folder, relative to the table. */
export const LOG_FOLDER = '_delta_log';

/** Where `_last_checkpoint` is. */
export const LAST_CHECKPOINT_KEY = `${LOG_FOLDER}/_last_checkpoint`;

/** The key of version N's commit. */
export function commitKey(version: number): string {
  return `${LOG_FOLDER}/${padded(version)}.json`;
}

/** The key of version N's classic checkpoint. */
export function checkpointKey(version: number): string {
  return `${LOG_FOLDER}/${padded(version)}.checkpoint.parquet`;
}

/** A key that sorts before all files of version N, and after those of lesser versions. */
export function keyBeforeVersion(version: number): string {
  return `${LOG_FOLDER}/${padded(version)}`;
}

/** A version as the log's names carry it: 20 digits. */
function padded(version: number): string {
  return String(version).padStart(20, '0');
}

/** What a key of the log is, or undefined for what a reader may ignore (checksums, compactions, temporary files). */
export function parseLogKey(key: string, lastModified: number): LogFile | undefined {
  const name = key.slice(LOG_FOLDER.length + 1);
  const match = /^(\d{20})\.(.+)$/.exec(name);
  if (match === null) return undefined;
  const version = Number(match[1]);
  const rest = match[2] ?? '';
  if (rest === 'json') return { kind: 'commit', version, key, lastModified };
  if (rest === 'checkpoint.parquet') return { kind: 'checkpoint', version, key, part: 1, parts: 1 };
  const multi = /^checkpoint\.(\d{10})\.(\d{10})\.parquet$/.exec(rest);
  if (multi !== null) return { kind: 'checkpoint', version, key, part: Number(multi[1]), parts: Number(multi[2]) };
  const uuid = /^checkpoint\.([^.]+)\.(?:json|parquet)$/.exec(rest)?.[1];
  if (uuid !== undefined) return { kind: 'checkpoint', version, key, part: 1, parts: 1, uuid };
  return undefined;
}
