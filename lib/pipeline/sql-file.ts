import { readFileSync } from 'node:fs';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { shippedFile } from '../files.ts';

/**
 * The SELECT that a dataset's SQL file holds, fit to stand in parentheses.
 *
 * @param path relative to the project
 * @throws LakeletError `FILE_MISSING`, `FILE_UNREADABLE`
 */
export function readSql(path: string): string {
  const file = shippedFile(path);
  try {
    // A comment on the last line would swallow what is put behind it.
    return `${readFileSync(file, 'utf8').trimEnd()}\n`;
  } catch (cause) {
    throw new LakeletError(
      'FILE_UNREADABLE',
      `${printable(file, 300)} can't be read (${printable(messageOf(cause), 200)}): make it readable.`,
      { cause },
    );
  }
}
