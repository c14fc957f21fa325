import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';
import { MODEL_FILE } from '../mlflow/index.ts';
import type { Scorer } from './model.ts';
import { openScorer } from './scorer.ts';
import { unsuitable } from './unsuitable.ts';

/**
 * The model of a file: one that Lakelet wrote, or another ONNX model with the file MLmodel beside it, as in a folder that
 * was downloaded from MLflow.
 *
 * @throws LakeletError `MODEL_NOT_FOUND` where the file can't be read, `MODEL_UNSUITABLE`, `MODEL_RUNTIME_MISSING`
 */
export async function openModelFile(path: string): Promise<Scorer> {
  const file = resolve(path);
  const scorer = await openScorer((name) => {
    const isModel = name === MODEL_FILE;
    return readIfThere(isModel ? file : join(dirname(file), basename(name)), isModel);
  }, file);
  if (scorer === undefined) throw unsuitable(file, 'it is no model');
  return scorer;
}

async function readIfThere(path: string, needed: boolean): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (!needed && systemCode(cause) === 'ENOENT') return undefined;
    throw new LakeletError(
      'MODEL_NOT_FOUND',
      `The model ${printable(path, 300)} can't be read: ${printable(messageOf(cause), 300)}; check the path`,
      { cause },
    );
  }
}
