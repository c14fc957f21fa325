import { type FileHandle, open } from 'node:fs/promises';
import { Budget } from '../concurrency.ts';
import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import { scratchFailed } from './temp-folder.ts';

const MIB = 1024 ** 2;
/** Bytes of one request: enough that its round trip does not count, few enough that a lost connection costs little. */
const PART = 8 * MIB;
/** What a small request counts in the budget, so that at most 32 are under way. */
const LEAST = 2 * MIB;
/** Bytes that are on their way at once in this process, whatever the files' sizes. */
const budget = new Budget(64 * MIB);
/** Files that are written at once; a process may have but so many open. */
const openFiles = new Budget(64);

/** What is known of an object before it is fetched. */
export interface FetchOptions {
  /** Bytes; an object of another size is refused. Absent: whatever it is. */
  readonly size?: number;
  readonly signal?: AbortSignal;
}

/**
 * Copies an object to a new file, in parts that are fetched side by side. On failure the file may be there in part.
 *
 * @throws LakeletError `FILE_MISSING`, `FILE_CORRUPT` (it has another size), `SCRATCH_FAILED`; what the store throws; the
 *   signal's reason
 */
export function fetchObject(store: ObjectStore, key: string, path: string, options: FetchOptions = {}): Promise<void> {
  return openFiles.spend(1, () => fetchTo(store, key, path, options));
}

async function fetchTo(store: ObjectStore, key: string, path: string, { size, signal }: FetchOptions): Promise<void> {
  signal?.throwIfAborted();
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx', 0o600);
  } catch (error) {
    throw scratchFailed(path, error);
  }
  try {
    await fetchParts({ store, key, path, handle }, size, signal);
  } finally {
    await handle.close();
  }
}

interface Copy {
  readonly store: ObjectStore;
  readonly key: string;
  readonly path: string;
  readonly handle: FileHandle;
}

async function fetchParts(copy: Copy, told: number | undefined, outer: AbortSignal | undefined): Promise<void> {
  let from = 0;
  let size = told;
  if (size === undefined) {
    from = await budget.spend(PART, async () => {
      const bytes = await read(copy, 0, PART);
      await writeAt(copy, bytes, 0);
      return bytes.length;
    });
    size = from < PART ? from : ((await copy.store.head(copy.key))?.size ?? from);
  }
  const failed = new AbortController();
  const signal = outer === undefined ? failed.signal : AbortSignal.any([outer, failed.signal]);
  const parts: Promise<void>[] = [];
  for (let start = from; start < size; start += PART) {
    const fetched = fetchPart(copy, start, size, signal);
    fetched.catch((error: unknown) => failed.abort(error));
    parts.push(fetched);
  }
  // All must have come to their end before the file is closed.
  await Promise.allSettled(parts);
  signal.throwIfAborted();
}

async function fetchPart(copy: Copy, start: number, size: number, signal: AbortSignal): Promise<void> {
  const wanted = Math.min(PART, size - start);
  const isLast = start + wanted === size;
  return budget.spend(Math.max(LEAST, wanted), async () => {
    signal.throwIfAborted();
    // Of an object that goes on where it should end, one byte more tells.
    const bytes = await read(copy, start, start + wanted + (isLast ? 1 : 0));
    if (bytes.length !== wanted) throw wrongSize(copy, size, start + bytes.length);
    await writeAt(copy, bytes, start);
  });
}

async function read({ store, key }: Copy, start: number, end: number): Promise<Uint8Array> {
  try {
    return await store.get(key, { start, end });
  } catch (error) {
    if (!(error instanceof LakeletError && error.code === 'NOT_FOUND')) throw error;
    throw new LakeletError(
      'FILE_MISSING',
      `There is no file ${printable(key, 300)} in ${printable(store.uri, 300)}; a file that the table's log names is gone (vacuumed, or removed by hand)`,
      { cause: error },
    );
  }
}

async function writeAt({ handle, path }: Copy, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; ) {
      at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
    }
  } catch (error) {
    throw scratchFailed(path, error);
  }
}

function wrongSize({ store, key }: Copy, size: number, found: number): LakeletError {
  return new LakeletError(
    'FILE_CORRUPT',
    `The file ${printable(key, 300)} in ${printable(store.uri, 300)} does not have the ${size} bytes that the table's log tells, but ${found > size ? 'more' : found}: bring it back from a copy`,
  );
}
