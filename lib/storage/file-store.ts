import { lstatSync, statSync } from 'node:fs';
import { access, type FileHandle, lstat, open, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LakeletError, printable, systemCode } from '../errors.ts';
import { claimAndWrite, dropClaim } from './file-claim.ts';
import { fileError, isMissing } from './file-errors.ts';
import { listFiles } from './file-list.ts';
import { linkFile, makeFolder, replaceFile, syncFile } from './file-write.ts';
import { checkKey, checkPrefix, rootPrefix } from './key.ts';
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts';
import { isLegalName, OPEN_NO_FOLLOW, syncFolder } from './platform.ts';
import { resolveRange } from './range.ts';

/** How many folders a store remembers to be real ones. */
const KNOWN_FOLDERS = 10_000;

/** The most that one read asks of the system (2 GiB is its limit). */
const READ_BYTES = 1 << 30;

/** Settings of a {@link FileStore}. */
export interface FileStoreOptions {
  /** False where the folder is known to have no hard links; by default that is found out by trying. */
  readonly hardLinks?: boolean;
}

/**
 * A folder as an {@link ObjectStore}: keys are paths below it. The folder is made by the first write. It may be reached
 * through a symbolic link itself, but links below it are neither listed nor followed (`INVALID_KEY`), because they could
 * lead out of it. Safe for any number of processes at once.
 */
export class FileStore implements ObjectStore {
  readonly uri: string;
  private readonly root: string;
  private hardLinks: boolean;
  private readonly knownFolders = new Set<string>();

  /** @param root the folder's path; a relative one counts from the working folder. */
  constructor(root: string, options: FileStoreOptions = {}) {
    this.root = resolve(root);
    this.uri = pathToFileURL(this.root).href;
    this.hardLinks = options.hardLinks ?? true;
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array> {
    const path = this.path(key);
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, OPEN_NO_FOLLOW);
      const stat = await handle.stat();
      if (!stat.isFile()) throw this.notFound(path);
      const { start, end } = resolveRange(range, stat.size);
      return await readBytes(handle, start, end, path);
    } catch (error) {
      if (isMissing(error)) throw this.absent(path, error);
      throw fileError(error, 'read', path);
    } finally {
      await handle?.close();
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.path(key);
    try {
      const stat = await lstat(path);
      return stat.isFile() ? { key, size: stat.size, lastModified: Math.trunc(stat.mtimeMs) } : undefined;
    } catch (error) {
      if (!isMissing(error)) throw fileError(error, 'look at', path);
      if (this.rootIsFile()) throw this.notAFolder();
      return undefined;
    }
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.write(this.path(key), (path) => replaceFile(path, body));
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    // Losing is common where many write at once, and needs no file to be written to be noticed.
    if ((await this.head(key)) !== undefined) return 'exists';
    return this.write(this.path(key), async (path) => {
      if (this.hardLinks) {
        const outcome = await linkFile(path, body);
        if (outcome !== 'unsupported') return outcome === 'linked' ? 'created' : 'exists';
        this.hardLinks = false;
      }
      return (await claimAndWrite(path, body)) ? 'created' : 'exists';
    });
  }

  async putFile(key: string, localPath: string): Promise<void> {
    try {
      await access(localPath);
    } catch (error) {
      throw fileError(error, 'read', localPath);
    }
    await this.write(this.path(key), async (path) => {
      if (resolve(localPath) !== path) return replaceFile(path, { copyOf: localPath });
      await syncFile(path);
      await syncFolder(dirname(path));
    });
  }

  async *list(prefix: string, options: { readonly startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    const folder = join(this.root, prefix.slice(0, Math.max(prefix.lastIndexOf('/'), 0)));
    // A store whose root is a file would otherwise look like an empty one.
    if (this.rootIsFile()) throw this.notAFolder();
    try {
      this.checkFolders(folder);
    } catch (error) {
      if (isMissing(error)) return;
      throw fileError(error, 'list', folder);
    }
    yield* listFiles(this.root, prefix, options.startAfter ?? '');
  }

  async delete(key: string): Promise<void> {
    const path = this.path(key);
    try {
      await dropClaim(path);
      await unlink(path);
      await syncFolder(dirname(path));
    } catch (error) {
      if (!isMissing(error)) throw fileError(error, 'delete', path);
    }
  }

  localPath(key: string): string {
    const path = this.path(key);
    try {
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw this.symbolicLink(path);
    } catch (error) {
      if (!isMissing(error)) throw fileError(error, 'look at', path);
    }
    return path;
  }

  at(prefix: string): FileStore {
    const below = rootPrefix(prefix);
    if (below === '') return this;
    return new FileStore(this.localPath(below.slice(0, -1)), { hardLinks: this.hardLinks });
  }

  /** The path of a key, once its folders are known to lie within the root. */
  private path(key: string): string {
    checkKey(key);
    if (!key.split('/').every(isLegalName)) {
      throw new LakeletError(
        'INVALID_KEY',
        `The key "${printable(key, 200)}" is no file name on this system; choose another`,
      );
    }
    const path = join(this.root, key);
    try {
      this.checkFolders(dirname(path));
    } catch (error) {
      // What follows on this path meets the same and says it in its own words.
      if (!isMissing(error)) throw fileError(error, 'look at', path);
    }
    return path;
  }

  private checkFolders(folder: string): void {
    if (folder.length <= this.root.length || this.knownFolders.has(folder)) return;
    this.checkFolders(dirname(folder));
    const stat = lstatSync(folder);
    if (stat.isSymbolicLink()) throw this.symbolicLink(folder);
    if (this.knownFolders.size >= KNOWN_FOLDERS) this.knownFolders.clear();
    if (stat.isDirectory()) this.knownFolders.add(folder);
  }

  /** Runs a write, after making its folder where that is missing. */
  private async write<T>(path: string, write: (path: string) => Promise<T>): Promise<T> {
    try {
      try {
        return await write(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      await makeFolder(dirname(path));
      return await write(path);
    } catch (error) {
      throw fileError(error, 'write', path);
    }
  }

  private notFound(path: string, cause?: unknown): LakeletError {
    return new LakeletError('NOT_FOUND', `There is no file ${printable(path, 300)}; check the path`, { cause });
  }

  /** What to throw for an object that is not there: the reason may be that the root itself is a file. */
  private absent(path: string, cause: unknown): LakeletError {
    return this.rootIsFile() ? this.notAFolder() : this.notFound(path, cause);
  }

  private rootIsFile(): boolean {
    try {
      return !statSync(this.root).isDirectory();
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT') return false;
      // The root lies below a file.
      if (code === 'ENOTDIR') return true;
      throw fileError(error, 'look at', this.root);
    }
  }

  private notAFolder(): LakeletError {
    return new LakeletError(
      'NOT_A_FOLDER',
      `${printable(this.root, 300)} is a file (or lies below one), and a folder is needed; choose another folder`,
    );
  }

  private symbolicLink(path: string): LakeletError {
    return new LakeletError(
      'INVALID_KEY',
      `${printable(path, 300)} is a symbolic link, which a store does not follow; open the folder that it leads to`,
    );
  }
}

async function readBytes(handle: FileHandle, start: number, end: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  let read = 0;
  while (read < bytes.length) {
    const length = Math.min(bytes.length - read, READ_BYTES);
    const { bytesRead } = await handle.read(bytes, read, length, start + read);
    if (bytesRead === 0) {
      throw new LakeletError(
        'STORE_FAILED',
        `${printable(path, 300)} became shorter while it was read; read it again`,
        {
          retryable: true,
        },
      );
    }
    read += bytesRead;
  }
  return bytes;
}
