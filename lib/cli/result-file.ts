import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { makeTempFolder, removeTempFolder } from '../duckdb/temp-folder.ts';
import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';
import { openStore } from '../storage/index.ts';

/**
 * Writes a file whole or not at all: `fill` writes another one beside it, which takes its place at the end. What is no
 * plain file (`/dev/null`) is written itself.
 *
 * @param path the file, or an object's URI (`s3://bucket/key`); one that is there is replaced
 * @param fill writes the file whose path it is given
 * @throws LakeletError `OUTPUT_FAILED`, and what `fill` and the object's store throw
 */
export async function replaceFile(path: string, fill: (partial: string) => Promise<void>): Promise<void> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return replaceObject(path, fill);
  const target = resolve(path);
  if (await isDevice(target)) return fill(target);
  const partial = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    await fill(partial);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof LakeletError ? error : outputFailed(target, error);
  }
}

async function replaceObject(uri: string, fill: (partial: string) => Promise<void>): Promise<void> {
  const [, folder, name] = /^([^/]+:\/\/.+)\/([^/]+)$/.exec(uri) ?? [];
  if (folder === undefined || name === undefined) {
    throw new LakeletError('OUTPUT_FAILED', `${printable(uri, 300)} names no object; give s3://bucket/key`);
  }
  const store = openStore(folder);
  const passing = makeTempFolder(tmpdir());
  try {
    const file = join(passing, 'result');
    await fill(file);
    await store.putFile(name, file);
  } finally {
    removeTempFolder(passing);
  }
}

/** Writes a text file as {@link replaceFile} does; `fill` is given a stream. */
export async function replaceTextFile(
  path: string,
  fill: (stream: NodeJS.WritableStream) => Promise<void>,
): Promise<void> {
  await replaceFile(path, async (partial) => {
    let handle: FileHandle;
    try {
      handle = await open(partial, 'w');
    } catch (error) {
      throw outputFailed(path, error);
    }
    const stream = handle.createWriteStream();
    const done = finished(stream);
    // Its error is thrown below; until then it must not count as unhandled.
    done.catch(() => undefined);
    try {
      await fill(stream);
      stream.end();
      await done;
    } catch (error) {
      // A stream that failed refuses all that follows; the first failure tells why.
      const { errored } = stream;
      stream.destroy();
      throw errored === null ? error : outputFailed(path, errored);
    }
  });
}

async function isDevice(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw outputFailed(path, new Error('it is a folder'));
    return !found.isFile();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error instanceof LakeletError ? error : outputFailed(path, error);
  }
}

function outputFailed(path: string, cause: unknown): LakeletError {
  return new LakeletError(
    'OUTPUT_FAILED',
    `${printable(path, 300)} can't be written: ${printable(messageOf(cause), 300)}; name another file with --output`,
    { cause },
  );
}
