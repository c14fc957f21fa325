import { once } from 'node:events';
import { jsonLine } from '../duckdb/json.ts';
import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';
import { csvLine } from './csv.ts';
import { count } from './figures.ts';
import { type Row, tableLines } from './text-table.ts';

/** How a result is written. */
export type Format = 'table' | 'json' | 'csv';

/** The most rows that a table shows; the other formats write all. */
const TABLE_ROWS = 100;

/** Where a command writes: its result to `out`, all else to `err`. */
export interface Console {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream;
  /** Whether `err` is a terminal on which a line can be drawn anew. */
  readonly live: boolean;
}

/** Thrown where the reader of the result has gone away (`| head`): nothing is wrong, there is just nothing left to do. */
export class OutputClosed extends Error {
  constructor() {
    super('The reader of the output has gone away');
    this.name = 'OutputClosed';
  }
}

/** Writes text and waits while the reader is slower. Throws {@link OutputClosed}, or `OUTPUT_FAILED`. */
export async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (!stream.writable) throw new OutputClosed();
  try {
    if (!stream.write(text)) await once(stream, 'drain');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ERR_STREAM_PREMATURE_CLOSE')
      throw new OutputClosed();
    throw new LakeletError(
      'OUTPUT_FAILED',
      `The result can't be written: ${printable(messageOf(error))}; check where the output goes`,
      {
        cause: error,
      },
    );
  }
}

/** Writes one object: as JSON on one line, or by `lines` for a person. */
export async function writeObject(
  console: Console,
  format: Format,
  value: unknown,
  lines: () => readonly string[],
): Promise<void> {
  const text = format === 'json' ? jsonLine(value) : lines().join('\n');
  await write(console.out, `${text}\n`);
}

/**
 * Writes rows as they come. A table is measured by its first {@link TABLE_ROWS} rows and ends there; how many were left
 * out is said on standard error.
 *
 * @param columns the names, in order
 * @param cellWidth the most characters of a table's cell
 */
export async function writeRows(
  console: Console,
  format: Format,
  columns: readonly string[],
  batches: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
  cellWidth?: number,
): Promise<void> {
  if (format === 'table') return writeTable(console, columns, batches, cellWidth);
  if (format === 'csv') await write(console.out, `${csvLine(columns)}\n`);
  for await (const batch of batches) {
    let text = '';
    for (const row of batch) {
      text += format === 'json' ? jsonLine(row) : csvLine(columns.map((column) => row[column]));
      text += '\n';
    }
    if (text !== '') await write(console.out, text);
  }
}

async function writeTable(
  console: Console,
  columns: readonly string[],
  batches: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
  cellWidth: number | undefined,
): Promise<void> {
  const shown: Row[] = [];
  let total = 0;
  for await (const batch of batches) {
    shown.push(...batch.slice(0, TABLE_ROWS - shown.length));
    total += batch.length;
  }
  await write(console.out, `${tableLines(columns, shown, cellWidth).join('\n')}\n`);
  if (total > shown.length) {
    const left = count(total - shown.length);
    await write(console.err, `The first ${shown.length} rows, ${left} left out; --format json or csv writes all\n`);
  }
}
