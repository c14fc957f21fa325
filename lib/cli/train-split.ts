import { InvalidArgumentError } from 'commander';
import { LakeletError, printable } from '../errors.ts';
import {
  type FeatureColumn,
  foldByGroup,
  foldByTime,
  foldRows,
  type RowSplit,
  splitByGroup,
  splitByTime,
  splitRows,
} from '../forest/index.ts';

/** How rows are held out: at random, the latest by a column, or whole groups of a column's values. */
export type SplitBy = { readonly by: 'random' } | { readonly by: 'time' | 'group'; readonly column: string };

/** The share of rows that is held out of the training. */
const HELD_OUT = 0.2;

/** Reads `random`, `time:COLUMN` or `group:COLUMN`. */
export function splitOption(text: string): SplitBy {
  if (text === 'random') return { by: 'random' };
  const [, by, column] = /^(time|group):(.+)$/s.exec(text) ?? [];
  if (column === undefined) throw new InvalidArgumentError('Give random, time:COLUMN or group:COLUMN.');
  return { by: by === 'time' ? 'time' : 'group', column };
}

/**
 * The rows to learn from and those held out.
 *
 * @param column the split's own column, where it has one
 * @throws LakeletError `TRAIN_COLUMN_INVALID` for a time that is text, and what the forest's splits throw
 */
export function splitTable(split: SplitBy, rows: number, column: FeatureColumn | undefined, seed: number): RowSplit {
  if (column === undefined) return splitRows(rows, HELD_OUT, seed);
  return split.by === 'time' ? splitByTime(timesOf(column), HELD_OUT) : splitByGroup(column, HELD_OUT, seed);
}

/** The folds of a cross-validation, made in the same way. */
export function foldTable(
  split: SplitBy,
  rows: number,
  column: FeatureColumn | undefined,
  folds: number,
  seed: number,
): readonly RowSplit[] {
  if (column === undefined) return foldRows(rows, folds, seed);
  return split.by === 'time' ? foldByTime(timesOf(column), folds) : foldByGroup(column, folds, seed);
}

function timesOf(column: FeatureColumn): Float64Array {
  if (column.kind === 'numeric') return column.values;
  throw new LakeletError(
    'TRAIN_COLUMN_INVALID',
    `The column ${printable(column.name, 100)} is text, and rows can't be split by it as a time; cast it in SQL, or split by group:${printable(column.name, 100)}.`,
  );
}
