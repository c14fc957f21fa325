import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempFolder, removeTempFolder } from './temp-folder.ts';

/** A folder for one engine's passing files, removed with the engine or the process. */
export class Scratch {
  readonly folder: string;

  /** Makes the folder in `parent`. Throws `SCRATCH_FAILED`. */
  constructor(parent: string) {
    this.folder = makeTempFolder(parent);
  }

  /** A path that is free. */
  path(ending = ''): string {
    return join(this.folder, `${randomUUID()}${ending}`);
  }

  /** Removes everything. */
  remove(): void {
    removeTempFolder(this.folder);
  }
}

/** Removes one passing file or folder. */
export async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
