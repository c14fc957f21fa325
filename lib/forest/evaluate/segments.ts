import { LakeletError } from '../../errors.ts';
import { columnLength, type FeatureColumn } from '../columns.ts';
import { evaluate, type RegressionMetrics } from '../metrics.ts';
import { takeRows } from '../rows.ts';

/** How well a model predicts one part of the rows. */
export interface Segment {
  /** Which rows: those of one category, those of a range of numbers, or those where the column is missing. */
  readonly rowsOf: SegmentRows;
  readonly rows: number;
  readonly metrics: RegressionMetrics;
  /** The mean of predicted less actual, in the target's unit: above 0 where the model says too much. */
  readonly bias: number;
}

/** What a segment's rows have in common. A range holds `from` ≤ value ≤ `to`, both of them values that occur. */
export type SegmentRows =
  | { readonly kind: 'category'; readonly category: string }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'missing' };

/** How rows are cut into segments. */
export interface SegmentOptions {
  /** Of a column of numbers: how many ranges, with about as many rows each; 5 by default. */
  readonly ranges?: number;
  /** Of the columns, the rows that the predictions are for, in their order; all of them by default. */
  readonly rows?: Uint32Array | Int32Array;
}

/**
 * Scores predictions apart for each category of a column, or for each of some ranges of its numbers, and for the rows
 * where it is missing. Categories come with the most rows first, ranges in ascending order; equal numbers stay in one
 * range; what has no rows is left out.
 * @throws LakeletError FOREST_INVALID_DATA for no rows, other lengths, rows outside the column, or values that are not finite; FOREST_INVALID_OPTION
 */
export function errorBySegment(
  column: FeatureColumn,
  actual: Float64Array,
  predicted: Float64Array,
  options: SegmentOptions = {},
): Segment[] {
  const { ranges = 5, rows } = options;
  if (!Number.isInteger(ranges) || ranges < 1) {
    throw new LakeletError('FOREST_INVALID_OPTION', `The number of ranges is ${String(ranges)}; give 1 or more.`);
  }
  const length = columnLength(column);
  const count = rows?.length ?? length;
  const outside = rows?.find((row) => row < 0 || row >= length);
  if (count !== actual.length || outside !== undefined) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      outside === undefined
        ? `There are ${actual.length} actual values for ${count} rows of the column; give one for each.`
        : `Row index ${outside} is outside the column's ${length} rows.`,
    );
  }
  evaluate(actual, predicted);
  const at = (i: number): number => (rows === undefined ? i : (rows[i] ?? 0));
  const parts =
    column.kind === 'categorical'
      ? byCategory(
          column.categories,
          Int32Array.from(actual, (_, i) => column.codes[at(i)] ?? -1),
        )
      : byRange(
          Float64Array.from(actual, (_, i) => column.values[at(i)] ?? Number.NaN),
          ranges,
        );
  return parts.map(({ rowsOf, members }) => {
    const [known, told] = [takeRows(actual, members), takeRows(predicted, members)];
    const bias = told.reduce((sum, value, i) => sum + value - (known[i] ?? 0), 0) / members.length;
    return { rowsOf, rows: members.length, metrics: evaluate(known, told), bias };
  });
}

interface Part {
  readonly rowsOf: SegmentRows;
  /** Places among the predictions. */
  readonly members: Uint32Array;
}

function byCategory(categories: readonly string[], codes: Int32Array): Part[] {
  const members = new Map<number, number[]>();
  for (const [i, code] of codes.entries()) {
    const found = members.get(code);
    if (found === undefined) members.set(code, [i]);
    else found.push(i);
  }
  const missing = members.get(-1);
  members.delete(-1);
  const parts = [...members]
    .sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || a - b)
    .map(
      ([code, places]): Part => ({
        rowsOf: { kind: 'category', category: categories[code] ?? '' },
        members: Uint32Array.from(places),
      }),
    );
  return missing === undefined
    ? parts
    : [...parts, { rowsOf: { kind: 'missing' }, members: Uint32Array.from(missing) }];
}

function byRange(values: Float64Array, ranges: number): Part[] {
  const valueAt = (place: number): number => values[place] ?? Number.NaN;
  const places = Uint32Array.from(values, (_, i) => i);
  const present = places.filter((i) => !Number.isNaN(valueAt(i))).sort((a, b) => valueAt(a) - valueAt(b) || a - b);
  const parts: Part[] = [];
  for (let range = 0, from = 0; range < ranges; range++) {
    let to = Math.max(from, Math.round((present.length * (range + 1)) / ranges));
    while (to > from && to < present.length && valueAt(present[to] ?? 0) === valueAt(present[to - 1] ?? 0)) to++;
    if (to === from) continue;
    const members = present.subarray(from, to);
    const [first = 0, last = 0] = [members[0], members[members.length - 1]];
    parts.push({ rowsOf: { kind: 'range', from: valueAt(first), to: valueAt(last) }, members });
    from = to;
  }
  const missing = places.filter((i) => Number.isNaN(valueAt(i)));
  return missing.length === 0 ? parts : [...parts, { rowsOf: { kind: 'missing' }, members: missing }];
}
