/** One object of a store, as a listing tells it. */
export interface ObjectInfo {
  /** The object's key, relative to the store's root, with `/` between its parts; never percent-encoded. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970 (UTC). */
  readonly lastModified: number;
}

/** A range of bytes: `start` inclusive, `end` exclusive. A negative `start` counts from the object's end. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/**
 * Where a table or a lake lies: a flat map from keys to bytes. What is written is there for every reader as soon as the
 * call returns, and has survived a power cut where the store can promise that. Every implementation passes
 * `tests/contract/object-store.ts`. All methods throw {@link LakeletError} only: `NOT_FOUND`, `ACCESS_DENIED`,
 * `STORE_FULL`, `NOT_A_FOLDER` (a file stands where a folder is needed), `STORE_FAILED`, `INVALID_RANGE`, and `INVALID_KEY`
 * (a key that would leave the root, that no store could hold, or whose parts begin with the reserved `.lakelet-`); stores
 * that are reached over a network also `STORE_UNREACHABLE`, `BUCKET_NOT_FOUND`, `WRONG_REGION` and `NOT_SUPPORTED`.
 */
export interface ObjectStore {
  /** The store's root, in a form that its user would recognise (`file:///…`, `memory://…`, `s3://bucket/prefix`). */
  readonly uri: string;

  /** The object's bytes, or those of a range that it has (a range that leaves the object is clipped). Throws `NOT_FOUND`. */
  get(key: string, range?: ByteRange): Promise<Uint8Array>;

  /** What a listing would say of the object, or undefined where there is none. */
  head(key: string): Promise<ObjectInfo | undefined>;

  /** Writes or replaces the object. Readers see the old bytes or the new ones, never a mixture. */
  put(key: string, body: Uint8Array): Promise<void>;

  /**
   * Writes the object only if there is none: of any number of callers, in any number of processes, exactly one gets
   * `created`. The result is settled when this returns, also where an answer was lost on the way; when it throws, the
   * object may have been written or not.
   */
  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'>;

  /**
   * Writes or replaces the object from a local file, without holding it in memory. The file stays. Where it is the
   * object's own {@link localPath} already, it is made to survive a power cut.
   */
  putFile(key: string, localPath: string): Promise<void>;

  /**
   * The objects whose key begins with `prefix`, ascending by the key's UTF-8 bytes, those greater than `startAfter` only.
   * Recursive; listing what is not there yields nothing.
   */
  list(prefix: string, options?: { readonly startAfter?: string }): AsyncIterable<ObjectInfo>;

  /** Removes the object; removing what is not there is no error. */
  delete(key: string): Promise<void>;

  /** The absolute local path of a key where this store's objects are plain local files (the object need not be there); undefined elsewhere. */
  localPath(key: string): string | undefined;

  /** A store rooted at `prefix` below this one; a trailing `/` makes no difference, and the empty prefix is this store. */
  at(prefix: string): ObjectStore;
}
