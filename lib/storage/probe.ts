import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileError } from './file-errors.ts';
import { FileStore } from './file-store.ts';
import { discard, linkFile, makeFolder } from './file-write.ts';

/** How a folder behaves as a store; what {@link probeFolder} found by trying. */
export interface FolderProbe {
  /** Whether files can be given a second name, on which commits rest; without, they rest on slower claims. */
  readonly hardLinks: boolean;
  /** How many of eight writers at once were told that they alone had created one and the same object; 1 is right. */
  readonly winners: number;
  /** Whether the winner's bytes are the ones that are read. */
  readonly intact: boolean;
  /** Milliseconds of one write that survives a power cut. */
  readonly writeMilliseconds: number;
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
}

const RACERS = 8;

/**
 * Tries a folder store out in the very folder that is to be used, and leaves it as it was: a folder that was not there is
 * not there afterwards. Throws what {@link FileStore} throws.
 */
export async function probeFolder(folder: string): Promise<FolderProbe> {
  const root = resolve(folder);
  const trial = join(root, `.lakelet-probe-${randomUUID()}`);
  let made: string | undefined;
  try {
    made = await makeFolder(root);
    await makeFolder(trial);
    const hardLinks = (await linkFile(join(trial, 'link'), Uint8Array.of(1))) === 'linked';
    const store = new FileStore(trial);
    const bodies = Array.from({ length: RACERS }, (_, racer) => new Uint8Array(1000).fill(racer));
    const results = await Promise.all(bodies.map((body) => store.putIfAbsent('race', body)));
    const [read] = await store.get('race');
    const started = performance.now();
    await store.put('write', new Uint8Array(4096));
    const writeMilliseconds = performance.now() - started;
    const space = await statfs(trial);
    return {
      hardLinks,
      winners: results.filter((result) => result === 'created').length,
      intact: results.indexOf('created') === read,
      writeMilliseconds,
      freeBytes: space.bavail * space.bsize,
    };
  } catch (error) {
    throw fileError(error, 'write in the folder', root);
  } finally {
    await discard(trial);
    if (made !== undefined) await discard(made);
  }
}
