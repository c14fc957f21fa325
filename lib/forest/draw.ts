import type { ResolvedOptions } from './options.ts';
import type { Problem } from './problem.ts';
import type { Random } from './random.ts';

/** The lists of a tree's rows, which the draw fills from their beginning, in ascending order of the rows. */
export interface RowLists {
  /** Which training row. */
  readonly index: Uint32Array;
  /** Two numbers a row: its centred target times its weight, and its weight (how often it was drawn, times its own). */
  readonly sums: Float64Array;
  /** How often it was drawn; undefined where rows have no weights, which then tell it. */
  readonly drawn: Uint32Array | undefined;
}

/** What was drawn: how many different rows, and the sums over them. */
export interface Drawn {
  readonly rows: number;
  readonly sum: number;
  readonly weight: number;
  readonly count: number;
}

/**
 * Draws a tree's rows, with replacement where asked; a row drawn several times is listed once. `times` has a word a
 * training row, and `bits`, where given, gets a one for each row that was drawn.
 */
export function drawRows(
  { target, rows, weights }: Problem,
  { bootstrap, maxSamples }: ResolvedOptions,
  random: Random,
  lists: RowLists,
  times: Uint32Array,
  bits: Uint8Array | undefined,
): Drawn {
  const { index, sums, drawn } = lists;
  const count = bootstrap ? Math.max(1, Math.round(maxSamples * rows)) : rows;
  times.fill(bootstrap ? 0 : 1);
  if (bootstrap) {
    for (let i = 0; i < count; i++) {
      const row = random.below(rows);
      times[row] = (times[row] ?? 0) + 1;
    }
  }
  let listed = 0;
  let sum = 0;
  let weight = 0;
  for (let row = 0; row < rows; row++) {
    const often = times[row] ?? 0;
    if (often === 0) continue;
    const own = weights === undefined ? often : often * (weights[row] ?? 0);
    const product = (target[row] ?? 0) * own;
    index[listed] = row;
    sums[2 * listed] = product;
    sums[2 * listed + 1] = own;
    if (drawn !== undefined) drawn[listed] = often;
    if (bits !== undefined) bits[row >>> 3] = (bits[row >>> 3] ?? 0) | (1 << (row & 7));
    sum += product;
    weight += own;
    listed++;
  }
  return { rows: listed, sum, weight, count };
}
