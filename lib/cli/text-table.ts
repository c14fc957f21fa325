import { jsonLine } from '../duckdb/json.ts';
import { printable } from '../errors.ts';

/** One row of a result, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** The most characters of one cell that a table shows. */
const CELL_WIDTH = 60;

/** A value as a person reads it, on one line and harmless to a terminal, cut after `width` characters. */
export function cellText(value: unknown, width = CELL_WIDTH): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return printable(value, width);
  if (typeof value === 'object') return printable(jsonLine(value), width);
  return printable(String(value), width);
}

/** How many columns of a terminal a text takes: East Asian and emoji characters take two, combining ones none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}|\u200d/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

/**
 * Rows as the lines of a table: a head, a rule, a line each. Numbers stand right. Columns come in the order
 * given; a cell is cut after `width` characters.
 */
export function tableLines(columns: readonly string[], rows: readonly Row[], width = CELL_WIDTH): string[] {
  const cells = rows.map((row) => columns.map((column) => cellText(row[column], width)));
  const head = columns.map((column) => printable(column, CELL_WIDTH));
  const right = columns.map(
    (column) =>
      rows.some((row) => isNumber(row[column])) && rows.every((row) => isNumber(row[column]) || row[column] == null),
  );
  const widths = head.map((title, i) => Math.max(textWidth(title), ...cells.map((line) => textWidth(line[i] ?? ''))));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const space = ' '.repeat((widths[i] ?? 0) - textWidth(text));
        return right[i] === true ? space + text : text + space;
      })
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line)];
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
