import { LakeletError, messageOf, printable } from '../errors.ts';

/** What an error of DuckDB means to a user: its first line, under a code that fits. */
export function duckdbFailure(error: unknown, code: string, what: string, signal?: AbortSignal): LakeletError {
  if (error instanceof LakeletError) return error;
  if (signal?.aborted === true) return new LakeletError('ABORTED', `${what}: it was stopped`, { cause: error });
  const text = messageOf(error).split('\n')[0] ?? '';
  const [kind, hint] = kindOf(text) ?? [code, ''];
  return new LakeletError(kind, `${what}: ${printable(text, 400)}${hint}`, { cause: error });
}

function kindOf(text: string): readonly [string, string] | undefined {
  if (/No space left on device/i.test(text)) return ['STORE_FULL', '; free some space and try again'];
  if (/Permission denied|Read-only file system/i.test(text))
    return ['ACCESS_DENIED', '; give this user the right to it'];
  if (/No files found|Cannot open file|No such file/i.test(text)) {
    return ['FILE_MISSING', "; a file that the table's log names is gone (vacuumed, or removed by hand)"];
  }
  return undefined;
}
