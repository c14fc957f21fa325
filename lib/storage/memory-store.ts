import { readFile } from 'node:fs/promises';
import { LakeletError, printable } from '../errors.ts';
import { fileError } from './file-errors.ts';
import { checkKey, checkPrefix, compareKeys, rootPrefix } from './key.ts';
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts';
import { resolveRange } from './range.ts';

interface StoredObject {
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970 (UTC). */
  readonly lastModified: number;
}

/** The objects that several {@link MemoryStore}s share, by full key, and their keys in order while those are known. */
interface Shelf {
  readonly objects: Map<string, StoredObject>;
  sorted: readonly string[] | undefined;
}

/** An {@link ObjectStore} in this process's memory: for tests, and for tables that need not outlive the process. */
export class MemoryStore implements ObjectStore {
  readonly uri: string;
  private readonly shelf: Shelf;
  private readonly prefix: string;

  /**
   * @param uri what the store calls itself.
   * @param parent the store that this one lies in, at `prefix`; without it the store begins empty.
   */
  constructor(uri = 'memory://', parent?: MemoryStore, prefix = '') {
    this.uri = uri;
    this.shelf = parent?.shelf ?? { objects: new Map(), sorted: undefined };
    this.prefix = (parent?.prefix ?? '') + rootPrefix(prefix);
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array> {
    const object = this.shelf.objects.get(this.prefix + checkKey(key));
    if (object === undefined) {
      throw new LakeletError('NOT_FOUND', `There is no object ${printable(key, 200)} in ${this.uri}; check the key`);
    }
    const { start, end } = resolveRange(range, object.bytes.length);
    return object.bytes.slice(start, end);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const object = this.shelf.objects.get(this.prefix + checkKey(key));
    return object === undefined ? undefined : information(key, object);
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    this.place(this.prefix + checkKey(key), Uint8Array.from(body));
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    const full = this.prefix + checkKey(key);
    if (this.shelf.objects.has(full)) return 'exists';
    this.place(full, Uint8Array.from(body));
    return 'created';
  }

  async putFile(key: string, localPath: string): Promise<void> {
    checkKey(key);
    try {
      this.place(this.prefix + key, new Uint8Array(await readFile(localPath)));
    } catch (error) {
      throw fileError(error, 'read', localPath);
    }
  }

  async *list(prefix: string, options: { readonly startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    const full = this.prefix + checkPrefix(prefix);
    const after = this.prefix + (options.startAfter ?? '');
    const { objects } = this.shelf;
    this.shelf.sorted ??= [...objects.keys()].sort(compareKeys);
    for (const key of this.shelf.sorted) {
      if (!key.startsWith(full) || compareKeys(key, after) <= 0) continue;
      const object = objects.get(key);
      if (object !== undefined) yield information(key.slice(this.prefix.length), object);
    }
  }

  async delete(key: string): Promise<void> {
    if (this.shelf.objects.delete(this.prefix + checkKey(key))) this.shelf.sorted = undefined;
  }

  localPath(): undefined {
    return undefined;
  }

  at(prefix: string): MemoryStore {
    const below = rootPrefix(prefix);
    if (below === '') return this;
    return new MemoryStore(`${this.uri.replace(/([^/])$/, '$1/')}${below.slice(0, -1)}`, this, below);
  }

  private place(fullKey: string, bytes: Uint8Array): void {
    if (!this.shelf.objects.has(fullKey)) this.shelf.sorted = undefined;
    this.shelf.objects.set(fullKey, { bytes, lastModified: Date.now() });
  }
}

function information(key: string, object: StoredObject): ObjectInfo {
  return { key, size: object.bytes.length, lastModified: object.lastModified };
}
