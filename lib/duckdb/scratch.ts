import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LakeletError, messageOf, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';

/** A folder for one engine's passing files, made when it is needed first, and removed with the engine or the process. */
export class Scratch {
  private readonly parent: string;
  private folder: string | undefined;
  private readonly fetched = new Map<string, Promise<string>>();
  private readonly atExit = (): void => this.remove();

  constructor(parent: string = tmpdir()) {
    this.parent = parent;
  }

  /** A path that is free. Throws `SCRATCH_FAILED`. */
  path(ending = ''): string {
    if (this.folder === undefined) {
      try {
        this.folder = mkdtempSync(join(this.parent, 'lakelet-'));
      } catch (error) {
        throw scratchFailed(this.parent, error);
      }
      process.once('exit', this.atExit);
    }
    return join(this.folder, `${randomUUID()}${ending}`);
  }

  /** A local file with an object's bytes: its own where the store's objects are local files, else a copy, which is kept (data files never change). */
  async local(store: ObjectStore, key: string): Promise<string> {
    const own = store.localPath(key);
    if (own !== undefined) return own;
    const name = `${store.uri}/${key}`;
    let copy = this.fetched.get(name);
    if (copy === undefined) {
      copy = this.fetch(store, key);
      this.fetched.set(name, copy);
      copy.catch(() => this.fetched.delete(name));
    }
    return copy;
  }

  /** A copy of an object, which the caller discards. */
  async fetch(store: ObjectStore, key: string): Promise<string> {
    const path = this.path('.parquet');
    const bytes = await store.get(key);
    try {
      await writeFile(path, bytes);
    } catch (error) {
      throw scratchFailed(path, error);
    }
    return path;
  }

  /** Removes everything; a later use makes a new folder. */
  remove(): void {
    if (this.folder === undefined) return;
    process.off('exit', this.atExit);
    rmSync(this.folder, { recursive: true, force: true });
    this.folder = undefined;
    this.fetched.clear();
  }
}

/** Removes one passing file or folder. */
export async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

function scratchFailed(path: string, error: unknown): LakeletError {
  return new LakeletError(
    'SCRATCH_FAILED',
    `A temporary file can't be written at ${printable(path, 300)}: ${printable(messageOf(error), 200)}; free some space, or set TMPDIR to a folder that has it`,
    { cause: error },
  );
}
