import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.ts';
import { RESERVED_NAME } from './key.ts';
import { type LinkOutcome, linkIfAbsent, renameOver, syncFolder } from './platform.ts';

/** A fresh name in `folder` that no listing shows and no Delta reader takes for its own; left behind by a crash, it harms nothing. */
export function temporaryName(folder: string): string {
  return join(folder, `${RESERVED_NAME}tmp-${randomUUID()}`);
}

/** Removes what a write left behind, whether it went well or not. */
export async function discard(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // The write has ended, and its result must not turn on this: a leftover is never listed and never read.
  }
}

/** Makes a file's bytes survive a power cut. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a new file, down to the disk. Throws the system's `EEXIST` where it is there. */
export async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(body);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder and its parents, so that they survive a power cut too; the uppermost one that was not there before, or
 * undefined. Node.js' own recursive `mkdir` never ends where a parent is there and yet holds no new folder (`/proc`).
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder);
    await syncFolder(dirname(folder));
    return folder;
  } catch (error) {
    const code = systemCode(error);
    // Some systems look at permissions or at the medium before they look whether the folder is there.
    if (code !== 'ENOENT' && (await stat(folder).catch(() => undefined))?.isDirectory() === true) return undefined;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
  }
  const parent = await makeFolder(dirname(folder));
  // Another process may make the same folder meanwhile.
  try {
    await mkdir(folder);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  await syncFolder(dirname(folder));
  return parent ?? folder;
}

/** Writes or replaces the file `path`, in a folder that exists, by renaming a complete temporary file. */
export async function replaceFile(path: string, content: Uint8Array | { readonly copyOf: string }): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryName(folder);
  try {
    if ('copyOf' in content) {
      // Where the file system can, the copy shares the source's blocks.
      await copyFile(content.copyOf, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await syncFile(temporary);
    } else {
      await writeDurably(temporary, content);
    }
    await renameOver(temporary, path);
  } finally {
    await discard(temporary);
  }
  await syncFolder(folder);
}

/**
 * Writes the file `path`, in a folder that exists, unless it is there: a complete temporary file is given the name by
 * `link()`, which, unlike a rename, fails where the name is taken.
 */
export async function linkFile(path: string, body: Uint8Array): Promise<LinkOutcome> {
  const folder = dirname(path);
  const temporary = temporaryName(folder);
  try {
    await writeDurably(temporary, body);
    let outcome = await linkIfAbsent(temporary, path);
    // A network mount may repeat a call whose answer was lost, and then say EEXIST of our own success: a temporary file
    // that has two names is the one that won.
    if (outcome === 'exists' && (await stat(temporary)).nlink === 2) outcome = 'linked';
    if (outcome === 'linked') await syncFolder(folder);
    return outcome;
  } finally {
    await discard(temporary);
  }
}
