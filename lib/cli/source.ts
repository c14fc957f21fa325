import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileLiteral } from '../duckdb/names.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';

/** What `--source` names: a SELECT, or a Parquet file. */
export type Source = { readonly sql: string } | { readonly parquet: string };

const READERS: Readonly<Record<string, string>> = {
  '.csv': 'read_csv',
  '.tsv': 'read_csv',
  '.json': 'read_json',
  '.jsonl': 'read_json',
  '.ndjson': 'read_json',
};

/**
 * Reads what `--source` says: a Parquet, CSV or JSON file by its ending, else SQL over the lake.
 *
 * @throws LakeletError `SOURCE_NOT_FOUND` for a file that is not there
 */
export async function sourceOf(text: string): Promise<Source> {
  const ending = extname(text.replace(/\.(gz|zst)$/i, '')).toLowerCase();
  const reader = READERS[ending];
  if (/\s/.test(text.trim()) && /^\s*(select|with|from|values|table)\b/i.test(text)) return { sql: text };
  if (reader === undefined && ending !== '.parquet') return { sql: text };
  const path = resolve(text);
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
  } catch (error) {
    throw new LakeletError(
      'SOURCE_NOT_FOUND',
      `The source ${printable(path, 300)} can't be read: ${printable(messageOf(error))}; check the path`,
      {
        cause: error,
      },
    );
  }
  if (reader === undefined) return { parquet: path };
  return { sql: `SELECT * FROM ${reader}(${fileLiteral(path)})` };
}
