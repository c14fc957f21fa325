import { identifier } from '../duckdb/names.ts';
import { LakeletError, printable } from '../errors.ts';
import type { RelationColumn } from '../pipeline/relation.ts';

/** The most names that an error lists. */
const SHOWN_NAMES = 20;

const NUMBERS = /^(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$/;
const MOMENTS = /^(DATE|TIMESTAMP.*)$/;
const TIMES = /^TIME( WITH TIME ZONE|_NS)?$/;
const TEXTS = /^(VARCHAR|UUID|JSON|ENUM\(.*\))$/;

/**
 * A column as a model takes it: numbers as they are, true and false as 1 and 0, dates and timestamps as days since 1970
 * (UTC, with their fraction), times as a fraction of a day, texts as categories.
 *
 * @param type DuckDB's name of its type; undefined where there is no such column
 * @param what what it is to the training, for errors
 * @param all the columns that there are
 * @throws LakeletError `TRAIN_COLUMN_MISSING`, and `TRAIN_COLUMN_INVALID` for a type that is none of these
 */
export function trainColumn(
  name: string,
  type: string | undefined,
  what: string,
  all: ReadonlyMap<string, string>,
): RelationColumn {
  const shown = printable(name, 100);
  if (type === undefined) {
    const names = [...all.keys()];
    const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
    throw new LakeletError(
      'TRAIN_COLUMN_MISSING',
      `${what} ${shown} is not there; there are ${printable(names.slice(0, SHOWN_NAMES).join(', '), 1000)}${more}.`,
    );
  }
  if (NUMBERS.test(type)) return { name, kind: 'numeric' };
  const sql = numberSql(name, type);
  if (sql !== undefined) return { name, kind: 'numeric', sql };
  if (isText(type)) return { name, kind: 'categorical' };
  throw new LakeletError(
    'TRAIN_COLUMN_INVALID',
    `${what} ${shown} is ${printable(type, 100)}, which is neither a number, nor a time, nor text; leave it out by --features, or make columns of it in SQL.`,
  );
}

/**
 * SQL for a column of a type that counts as numbers: numbers as they are, moments as days since 1970, times as a fraction of
 * a day; undefined for other types.
 */
export function numberSql(name: string, type: string): string | undefined {
  const column = identifier(name);
  if (NUMBERS.test(type)) return column;
  if (MOMENTS.test(type)) return `CASE WHEN isinf(${column}) THEN 'Infinity'::DOUBLE ELSE epoch(${column}) / 86400 END`;
  return TIMES.test(type) ? `epoch(${column}) / 86400` : undefined;
}

/** Whether a column's type counts as text. */
export function isText(type: string): boolean {
  return TEXTS.test(type);
}
