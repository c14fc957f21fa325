import type { LearningCurve, OutOfBag } from './ensemble.ts';
import { evaluate } from './metrics.ts';
import type { Problem } from './problem.ts';
import type { Tree } from './tree.ts';

/** Rows that are scored together: few enough to stay in a core's cache from tree to tree. */
export const SCORED_ROWS = 2048;

/** Where threads leave what they score, in shared memory. */
export interface Scoring {
  readonly trees: readonly Tree[];
  /** By row: the mean of those trees' predictions that did not learn from it, and its standard deviation. */
  readonly predicted: Float64Array;
  readonly spread: Float64Array;
  /** By block and tree: Σ squared errors with the trees up to it, and over how many rows. */
  readonly squared: Float64Array;
  readonly scored: Float64Array;
}

/** Room for the scores of all rows, in blocks of {@link SCORED_ROWS}. */
export function layOutScoring(trees: readonly Tree[], rows: number): Scoring {
  const blocks = Math.ceil(rows / SCORED_ROWS);
  const numbers = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(length * 8));
  return {
    trees,
    predicted: numbers(rows),
    spread: numbers(rows),
    squared: numbers(blocks * trees.length),
    scored: numbers(blocks * trees.length),
  };
}

/** Lets each row of one block be predicted by the trees that did not draw it, in the order of the trees. */
export function scoreBlock(problem: Problem, scoring: Scoring, block: number): void {
  const { rows, drawn, target, mean, columns } = problem;
  if (drawn === undefined) throw new Error('the draws were not kept');
  const from = block * SCORED_ROWS;
  const to = Math.min(rows, from + SCORED_ROWS);
  const sums = new Float64Array(to - from);
  const squares = new Float64Array(to - from);
  const counts = new Uint32Array(to - from);
  const bytes = Math.ceil(rows / 8);
  let squared = 0;
  let scored = 0;
  scoring.trees.forEach((tree, number) => {
    for (let row = from; row < to; row++) {
      if ((((drawn[number * bytes + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1) continue;
      const at = row - from;
      const value = leafValue(tree, columns, row) - mean;
      const actual = target[row] ?? 0;
      const count = counts[at] ?? 0;
      const sum = sums[at] ?? 0;
      if (count > 0) squared -= (sum / count - actual) ** 2;
      else scored++;
      squared += ((sum + value) / (count + 1) - actual) ** 2;
      sums[at] = sum + value;
      squares[at] = (squares[at] ?? 0) + value * value;
      counts[at] = count + 1;
    }
    scoring.squared[block * scoring.trees.length + number] = Math.max(0, squared);
    scoring.scored[block * scoring.trees.length + number] = scored;
  });
  for (let row = from; row < to; row++) {
    const count = counts[row - from] ?? 0;
    const own = (sums[row - from] ?? 0) / count;
    scoring.predicted[row] = mean + own;
    scoring.spread[row] = Math.sqrt(Math.max(0, (squares[row - from] ?? 0) / count - own * own));
  }
}

function leafValue(
  { feature, threshold, left, missingLeft, value }: Tree,
  columns: Problem['columns'],
  row: number,
): number {
  let node = 0;
  for (let child = left[0] ?? 0; child !== 0; child = left[node] ?? 0) {
    const x = columns[feature[node] ?? 0]?.[row] ?? NaN;
    const goesLeft = x <= (threshold[node] ?? 0) || (Number.isNaN(x) && missingLeft[node] === 1);
    node = goesLeft ? child : child + 1;
  }
  return value[node] ?? 0;
}

/** What the scores of all blocks come to; `places` says where the training row that a problem's row is stands, among `rows`. */
export function outOfBagOf(
  { predicted, spread, squared, scored, trees }: Scoring,
  actual: Float64Array,
  places: Uint32Array | undefined,
  rows: number,
): { outOfBag: OutOfBag; learningCurve: LearningCurve } {
  const at = places ?? Uint32Array.from(predicted, (_, row) => row);
  const placed = (values: Float64Array): Float64Array => {
    const all = new Float64Array(rows).fill(NaN);
    for (let row = 0; row < values.length; row++) all[at[row] ?? 0] = values[row] ?? NaN;
    return all;
  };
  const curve = new Float64Array(trees.length);
  for (let tree = 0; tree < trees.length; tree++) {
    let errors = 0;
    let count = 0;
    for (let i = tree; i < squared.length; i += trees.length) {
      errors += squared[i] ?? 0;
      count += scored[i] ?? 0;
    }
    curve[tree] = Math.sqrt(errors / count);
  }
  const known = at.filter((_, row) => !Number.isNaN(predicted[row]));
  const all = placed(predicted);
  const metrics =
    known.length === 0
      ? { r2: NaN, mae: NaN, rmse: NaN }
      : evaluate(
          Float64Array.from(known, (row) => actual[row] ?? NaN),
          Float64Array.from(known, (row) => all[row] ?? NaN),
        );
  return {
    outOfBag: { predicted: all, spread: placed(spread), metrics },
    learningCurve: { name: 'oob_rmse', values: curve },
  };
}
