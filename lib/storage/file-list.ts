import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, isMissing } from './file-errors.ts';
import { compareKeys, RESERVED_NAME } from './key.ts';
import type { ObjectInfo } from './object-store.ts';

/** How many files are asked for their size at once. */
const STAT_BATCH = 64;

interface Entry {
  /** The key; a folder's ends in `/`, which puts it where its own keys stand in the order of all keys. */
  readonly key: string;
  readonly folder: boolean;
}

async function entries(root: string, folder: string): Promise<Entry[]> {
  let found: Dirent[];
  try {
    found = await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    // A folder may go away between the listing of its parent and its own.
    if (isMissing(error)) return [];
    throw fileError(error, 'list', join(root, folder));
  }
  const kept: Entry[] = [];
  for (const entry of found) {
    if (entry.name.startsWith(RESERVED_NAME)) continue;
    if (entry.isDirectory()) kept.push({ key: `${folder}${entry.name}/`, folder: true });
    else if (entry.isFile()) kept.push({ key: `${folder}${entry.name}`, folder: false });
  }
  return kept.sort((a, b) => compareKeys(a.key, b.key));
}

async function information(root: string, keys: readonly string[]): Promise<ObjectInfo[]> {
  const found = await Promise.all(
    keys.map(async (key): Promise<ObjectInfo | undefined> => {
      try {
        const stat = await lstat(join(root, key));
        return stat.isFile() ? { key, size: stat.size, lastModified: Math.trunc(stat.mtimeMs) } : undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw fileError(error, 'look at', join(root, key));
      }
    }),
  );
  return found.filter((object) => object !== undefined);
}

/**
 * The files below `root` as a store lists them: keys that begin with `prefix` and come after `startAfter`, ascending by
 * UTF-8 bytes. Only folders that can hold such a key are read; symbolic links and reserved names are left out.
 */
export async function* listFiles(root: string, prefix: string, startAfter: string): AsyncGenerator<ObjectInfo> {
  const below = async function* (folder: string): AsyncGenerator<ObjectInfo> {
    let batch: string[] = [];
    for (const entry of await entries(root, folder)) {
      if (!wanted(entry, prefix, startAfter)) continue;
      if (!entry.folder) batch.push(entry.key);
      if (entry.folder || batch.length === STAT_BATCH) {
        yield* await information(root, batch);
        batch = [];
      }
      if (entry.folder) yield* below(entry.key);
    }
    yield* await information(root, batch);
  };
  yield* below(prefix.slice(0, prefix.lastIndexOf('/') + 1));
}

function wanted(entry: Entry, prefix: string, startAfter: string): boolean {
  if (!entry.folder) return entry.key.startsWith(prefix) && compareKeys(entry.key, startAfter) > 0;
  if (!entry.key.startsWith(prefix) && !prefix.startsWith(entry.key)) return false;
  return startAfter.startsWith(entry.key) || compareKeys(entry.key, startAfter) > 0;
}
