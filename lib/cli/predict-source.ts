import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeTempFolder, removeTempFolder, scratchFailed } from '../duckdb/temp-folder.ts';
import { LakeletError } from '../errors.ts';
import { sourceOf } from './source.ts';

/** Where records come from: SQL over the lake, or a file and what reads it. */
export type RecordSource =
  | { readonly sql: string }
  | { readonly file: string; readonly reader: 'read_parquet' | 'read_csv' | 'read_json' };

/**
 * Reads what the command's argument names: a Parquet, CSV or JSON file by its ending, else SQL over the lake.
 *
 * @throws LakeletError `SOURCE_NOT_FOUND`
 */
export async function recordSource(text: string): Promise<RecordSource> {
  const source = await sourceOf(text);
  if ('parquet' in source) return { file: source.parquet, reader: 'read_parquet' };
  const [, reader] = /^SELECT \* FROM (read_csv|read_json)\(/.exec(source.sql) ?? [];
  const isFile = source.sql !== text && (reader === 'read_csv' || reader === 'read_json');
  return isFile ? { file: text, reader } : source;
}

/**
 * Puts standard input aside in a passing file, for as long as `use` takes, since it is read more than once; so it is bounded by
 * the disk. It is JSON where it begins with `{` or `[`, Parquet where it begins as that does, else CSV.
 *
 * @throws LakeletError `SOURCE_EMPTY`, `SCRATCH_FAILED`, and what `use` throws
 */
export async function withInput<T>(
  input: NodeJS.ReadableStream,
  signal: AbortSignal,
  use: (source: RecordSource) => Promise<T>,
): Promise<T> {
  const folder = makeTempFolder(tmpdir());
  try {
    const file = join(folder, 'records');
    try {
      await pipeline(input, createWriteStream(file), { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw scratchFailed(file, error);
    }
    return await use({ file, reader: await readerOf(file) });
  } finally {
    removeTempFolder(folder);
  }
}

async function readerOf(file: string): Promise<'read_parquet' | 'read_csv' | 'read_json'> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const text = buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .replace(/^\ufeff/, '')
      .trimStart();
    if (text === '') {
      throw new LakeletError(
        'SOURCE_EMPTY',
        'There are no records on standard input; give JSON lines, a JSON array or CSV',
      );
    }
    if (text.startsWith('PAR1')) return 'read_parquet';
    return /^[{[]/.test(text) ? 'read_json' : 'read_csv';
  } finally {
    await handle.close();
  }
}

/** Whether the argument names a file with a model. */
export function isModelFile(text: string): boolean {
  return extname(text).toLowerCase() === '.onnx';
}
