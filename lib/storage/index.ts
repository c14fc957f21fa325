import { fileURLToPath } from 'node:url';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { FileStore } from './file-store.ts';
import { MemoryStore } from './memory-store.ts';
import type { ObjectStore } from './object-store.ts';
import { S3Store } from './s3-store.ts';

export { FileStore, type FileStoreOptions } from './file-store.ts';
export { compareKeys } from './key.ts';
export { MemoryStore } from './memory-store.ts';
export type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts';
export { type FolderProbe, probeFolder } from './probe.ts';
export { resolveRange } from './range.ts';

// S3Store stays out: the package's declarations would lead its users to those of the AWS SDK, which need @types/node.

const memoryStores = new Map<string, MemoryStore>();

/**
 * The store that a URI names: a folder's path (a relative one counts from the working folder), `file:///…`,
 * `s3://bucket[/prefix]`, or `memory://NAME[/prefix]`, which is the same store for the same name while the process lives.
 * Nothing is read or made. Throws `INVALID_URI`.
 */
export function openStore(uri: string): ObjectStore {
  const shown = printable(uri, 200);
  if (uri.trim() === '' || uri.includes('\0')) {
    throw new LakeletError(
      'INVALID_URI',
      `"${shown}" names no place; give a folder, file:///…, s3://bucket/prefix or memory://NAME`,
    );
  }
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      // "file:/x" is a URL as well, which would otherwise become a folder called "file:".
      return new FileStore(/^file:\//i.test(uri) ? folderOf(uri) : uri);
    case 'file':
      return new FileStore(folderOf(uri));
    case 's3':
      return new S3Store(uri);
    case 'memory':
      return memoryStore(uri.slice('memory://'.length), shown);
    default:
      throw new LakeletError(
        'INVALID_URI',
        `"${shown}" is of a kind that is not supported; give a folder, file:///…, s3://bucket/prefix or memory://NAME`,
      );
  }
}

function folderOf(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (error) {
    throw new LakeletError(
      'INVALID_URI',
      `"${printable(uri, 200)}" is no folder's URL (${printable(messageOf(error), 200)}); give a path or file:///path`,
      { cause: error },
    );
  }
}

function memoryStore(path: string, shown: string): MemoryStore {
  const [name = '', ...rest] = path.split('/');
  if (name === '') throw new LakeletError('INVALID_URI', `"${shown}" has no name; give memory://NAME`);
  let store = memoryStores.get(name);
  if (store === undefined) {
    store = new MemoryStore(`memory://${name}`);
    memoryStores.set(name, store);
  }
  return store.at(rest.join('/'));
}
