import { existsSync, rmSync, statfsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../storage/index.ts';
import { fetchObject } from './fetch.ts';
import { makeTempFolder, scratchFailed } from './temp-folder.ts';

/** A data file of a store whose objects are not local files. */
export interface RemoteFile {
  readonly key: string;
  /** Bytes, as the table's log tells. */
  readonly size: number;
  /** Milliseconds since 1970 (UTC), as the table's log tells. */
  readonly modificationTime: number;
}

/** Local copies that stay at least until they are released. */
export interface HeldFiles {
  /** In the order in which the files were asked for. */
  readonly paths: readonly string[];
  /** Says that nobody reads them any more; asking again makes no difference. */
  release(): void;
}

interface Entry {
  readonly path: string;
  readonly size: number;
  readonly fetched: Promise<void>;
  readonly stop: AbortController;
  holders: number;
  isWhole: boolean;
}

/**
 * Copies of remote data files on this machine's disk. Data files never change, so a copy serves every scan of this process,
 * a warm Lambda's next invocations among them, until it has to make room: the one that was used least recently goes first,
 * and none that is being read. The copies are gone with the process.
 */
export class FileCache {
  private readonly parent: string;
  private readonly limit: number | undefined;
  private folder: string | undefined;
  /** By what the file is, the one used least recently first. */
  private readonly entries = new Map<string, Entry>();
  private names = 0;
  /** Bytes of all entries, those that are being fetched among them. */
  private used = 0;
  /** Bytes of those that are whole. */
  private kept = 0;

  /**
   * @param parent the folder in which its own folder is made
   * @param limit bytes that may be kept while nobody reads them; absent: as much as stays free on the disk beside them
   */
  constructor(parent: string, limit?: number) {
    this.parent = parent;
    this.limit = limit;
  }

  /**
   * Local copies of files, which are fetched side by side where they are not there. Who asks for a file that is being
   * fetched waits for that.
   *
   * @throws LakeletError what {@link fetchObject} throws; the signal's reason
   */
  async hold(store: ObjectStore, files: readonly RemoteFile[], signal?: AbortSignal): Promise<HeldFiles> {
    signal?.throwIfAborted();
    const entries: Entry[] = [];
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      for (const entry of entries) letGo(entry);
      this.makeRoom();
    };
    try {
      for (const file of files) entries.push(this.take(store, file));
      this.makeRoom();
      await unlessAborted(Promise.all(entries.map(({ fetched }) => fetched)), signal);
      return { paths: entries.map(({ path }) => path), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  private take(store: ObjectStore, file: RemoteFile): Entry {
    const name = JSON.stringify([store.uri, file.key, file.size, file.modificationTime]);
    const entry = this.present(name) ?? this.fetch(name, store, file);
    // Last in the map is used last.
    this.entries.delete(name);
    this.entries.set(name, entry);
    entry.holders++;
    return entry;
  }

  /** The entry of a name, unless its copy was removed by someone who cleans up temporary files. */
  private present(name: string): Entry | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined || !entry.isWhole || existsSync(entry.path)) return entry;
    this.remove(name, entry);
    return undefined;
  }

  private fetch(name: string, store: ObjectStore, file: RemoteFile): Entry {
    if (this.folder === undefined || !existsSync(this.folder)) this.folder = makeTempFolder(this.parent);
    this.used += file.size;
    const path = join(this.folder, `${this.names++}.parquet`);
    const stop = new AbortController();
    const fetched = fill(path, store, file, stop.signal);
    const entry: Entry = { path, size: file.size, fetched, stop, holders: 0, isWhole: false };
    const remove = (): void => this.remove(name, entry);
    stop.signal.addEventListener('abort', remove, { once: true });
    fetched.then(() => this.settle(name, entry), remove);
    return entry;
  }

  private settle(name: string, entry: Entry): void {
    entry.isWhole = true;
    if (this.entries.get(name) === entry) this.kept += entry.size;
    // It was given up in its last moment.
    else rmSync(entry.path, { force: true });
  }

  private remove(name: string, entry: Entry): void {
    if (this.entries.get(name) !== entry) return;
    this.entries.delete(name);
    this.used -= entry.size;
    if (entry.isWhole) this.kept -= entry.size;
  }

  /** Removes what nobody reads, the least recently used first, until the limit holds again. */
  private makeRoom(): void {
    const limit = this.limit ?? this.defaultLimit();
    for (const [name, entry] of this.entries) {
      if (this.used <= limit) return;
      if (entry.holders > 0 || !entry.isWhole) continue;
      this.remove(name, entry);
      rmSync(entry.path, { force: true });
    }
  }

  /** Half of what would be free without the copies: the other half is left to what DuckDB writes, and to others. */
  private defaultLimit(): number {
    // With the folder, all copies are gone.
    if (!existsSync(this.parent)) return 0;
    const { bavail, bsize } = statfsSync(this.parent);
    return (bavail * bsize + this.kept) / 2;
  }
}

/** A file that is still being fetched, and that nobody waits for any more, is given up. */
function letGo(entry: Entry): void {
  entry.holders--;
  if (entry.holders === 0 && !entry.isWhole) entry.stop.abort();
}

async function fill(path: string, store: ObjectStore, { key, size }: RemoteFile, signal: AbortSignal): Promise<void> {
  const partial = `${path}.part`;
  try {
    await fetchObject(store, key, partial, { size, signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw signal.aborted ? error : scratchFailed(partial, error);
  }
}

const caches = new Map<string, FileCache>();

/** The cache of this process in a folder. */
export function fileCacheIn(parent: string): FileCache {
  const cache = caches.get(parent) ?? new FileCache(parent);
  caches.set(parent, cache);
  return cache;
}

/** A wait that ends with the signal; what is waited for goes on. */
async function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
