/**
 * Put-if-absent for folders without hard links. A file system that cannot link can still rename a folder, and never over
 * one that holds something: so the whole body is written into a folder of its own first, and that folder is renamed to
 * the key's claim. Whoever holds the claim has won for good, and since the claim carries the body, any other writer can
 * finish what a crashed winner began. Claims stay beside the key until it is deleted.
 */
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../errors.ts';
import { isMissing } from './file-errors.ts';
import { discard, temporaryName, writeDurably } from './file-write.ts';
import { RESERVED_NAME } from './key.ts';
import { renameOver, syncFolder } from './platform.ts';

const BODY = 'body';

/** The folder that claims the file `path`. */
function claimOf(path: string): string {
  const name = createHash('sha256').update(basename(path)).digest('hex').slice(0, 32);
  return join(dirname(path), `${RESERVED_NAME}claim-${name}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Moves the claim into place; false where another writer holds it. */
async function take(prepared: string, claim: string): Promise<boolean> {
  try {
    await rename(prepared, claim);
    return true;
  } catch (error) {
    const code = systemCode(error);
    const occupied = code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM' || code === 'EACCES';
    if (occupied && (await exists(claim))) return false;
    throw error;
  }
}

/**
 * Writes the file `path` unless it is there, in a folder that exists. True for the one caller that wrote it. All writers
 * of a folder must see it through mounts of one kind: a claim does not bind a writer that links.
 */
export async function claimAndWrite(path: string, body: Uint8Array): Promise<boolean> {
  if (await exists(path)) return false;
  const folder = dirname(path);
  const claim = claimOf(path);
  const prepared = join(folder, `${RESERVED_NAME}claiming-${randomUUID()}`);
  let won: boolean;
  try {
    await mkdir(prepared);
    await writeDurably(join(prepared, BODY), body);
    await syncFolder(prepared);
    won = await take(prepared, claim);
  } finally {
    await discard(prepared);
  }
  await syncFolder(folder);
  if (!(await exists(path))) {
    const temporary = temporaryName(folder);
    try {
      await writeDurably(temporary, await readFile(join(claim, BODY)));
      await renameOver(temporary, path);
    } finally {
      await discard(temporary);
    }
    await syncFolder(folder);
  }
  return won;
}

/** Forgets who wrote `path`, before it is deleted. */
export async function dropClaim(path: string): Promise<void> {
  await rm(claimOf(path), { recursive: true, force: true });
}
