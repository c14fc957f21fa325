import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakeletError, printable, systemCode } from '../lib/errors.ts';

/** How to wait for a lock. */
export interface LockOptions {
  /** Told once, when another process has the lock. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while no other process of this machine holds the same lock. The lock is a file with its holder's process
 * id; one whose holder has died is taken over.
 *
 * @param file the lock's path; its folder is made
 * @throws LakeletError `CANCELLED`, and what `work` throws
 */
export async function withLock<T>(file: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // Two starts within one process exclude each other, too: the mark tells them apart.
  const mark = `${process.pid} ${randomUUID()}`;
  const draft = `${file}.${mark.replace(' ', '.')}`;
  await writeFile(draft, mark);
  try {
    await acquire(file, draft, options);
    try {
      return await work();
    } finally {
      if ((await textOf(file)) === mark) await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function acquire(file: string, draft: string, { say, signal }: LockOptions): Promise<void> {
  for (let told = false; ; ) {
    if (signal?.aborted === true) {
      throw new LakeletError('CANCELLED', `Waiting for ${printable(file, 200)} was cancelled.`, {
        cause: signal.reason,
      });
    }
    if (await linked(draft, file)) return;
    const mark = await textOf(file);
    if (mark === undefined) continue;
    const holder = Number.parseInt(mark, 10);
    if (!isAlive(holder)) {
      await takeAway(file, mark);
      continue;
    }
    if (!told) say?.(`waiting for process ${holder}, which holds ${file} (if that is not so, delete the file)`);
    told = true;
    await sleep(200);
  }
}

/** `link` makes the lock with its content in one step, and fails where it is there. */
async function linked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead holder's lock; a lock that somebody else took in the meantime is put back. */
async function takeAway(file: string, mark: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await textOf(aside)) !== mark) await linked(aside, file);
  await rm(aside, { force: true });
}

/** True while a process of this id runs on this machine. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return systemCode(error) === 'EPERM';
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
