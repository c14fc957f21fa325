import type { LearningCurve, OutOfBag } from './ensemble.ts';
import type { GrownTree } from './grow.ts';
import type { LeafFunctions } from './kernel/functions.ts';
import { instantiateKernel, KernelLayout } from './kernel/kernel.ts';
import { evaluate } from './metrics.ts';
import type { Problem } from './problem.ts';
import type { Tree } from './tree.ts';
import type { Workspace } from './workspace.ts';

/** Rows that are scored together: few enough to stay in a core's cache from tree to tree. */
export const SCORED_ROWS = 8192;

const NODE_BYTES = 8;
/** What makes a node a leaf, where it is its own left child: see kernel/assembly/leaves.ts. */
const STAY = 255;

/** What threads score with and where they leave the scores, in shared memory. */
export interface Scoring {
  /** Has its own copy of the bins, the trees and their draws; the rest are addresses in it. */
  readonly memory: WebAssembly.Memory;
  readonly bins: number;
  readonly drawn: number;
  /** By tree: its nodes as the kernel knows them, and the values of its leaves. */
  readonly nodes: readonly number[];
  readonly values: readonly Float32Array[];
  /** By thread: the rows that are scored together, and the leaves that they fall into. */
  readonly rows: readonly number[];
  readonly leaves: readonly number[];
  /** By row: the mean of those trees' predictions that did not learn from it, and its standard deviation. */
  readonly predicted: Float64Array;
  readonly spread: Float64Array;
  /** By block and tree: Σ squared errors with the trees up to it, and over how many rows. */
  readonly squared: Float64Array;
  readonly scored: Float64Array;
}

/**
 * Lays out what scoring needs: a byte a value, 12 bytes a node, a bit a row and tree, and 16 bytes a row.
 * @throws LakeletError FOREST_TOO_LARGE where that is more than WebAssembly can address
 */
export function layOutScoring(
  { rows, columns, drawn = new Uint8Array() }: Problem,
  workspace: Workspace,
  grown: readonly GrownTree[],
  threads: number,
): Scoring {
  const layout = new KernelLayout();
  const bins = layout.take(rows * columns.length);
  const bits = layout.take(drawn.length);
  const nodes = grown.map(({ tree }) => layout.take(tree.left.length * NODE_BYTES));
  const valuesAt = grown.map(({ tree }) => layout.take(tree.left.length * 4));
  // The kernel fills its last group of four rows up.
  const lists = Array.from({ length: threads }, () => layout.take((SCORED_ROWS + 4) * 4));
  const leaves = Array.from({ length: threads }, () => layout.take((SCORED_ROWS + 4) * 4));
  const memory = layout.memory(
    `To score ${grown.length} trees by the rows that they did not draw`,
    'train without oobScore, or with a larger minSamplesLeaf',
  );
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(new Uint8Array(workspace.memory.buffer, workspace.bins, rows * columns.length), bins);
  bytes.set(drawn, bits);
  const values = grown.map(({ tree, cuts }, number) => {
    writeNodes(tree, cuts, new Uint32Array(memory.buffer, nodes[number] ?? 0, tree.left.length * 2));
    const own = new Float32Array(memory.buffer, valuesAt[number] ?? 0, tree.left.length);
    own.set(tree.value);
    return own;
  });
  const blocks = Math.ceil(rows / SCORED_ROWS);
  const numbers = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(length * 8));
  return {
    memory,
    bins,
    drawn: bits,
    nodes,
    values,
    rows: lists,
    leaves,
    predicted: numbers(rows),
    spread: numbers(rows),
    squared: numbers(blocks * grown.length),
    scored: numbers(blocks * grown.length),
  };
}

function writeNodes({ left, feature, missingLeft }: Tree, cuts: Uint8Array | undefined, words: Uint32Array): void {
  if (cuts === undefined) throw new Error('the cuts of a tree were not kept');
  for (let node = 0; node < left.length; node++) {
    const child = left[node] ?? 0;
    words[2 * node] = child === 0 ? node : child;
    words[2 * node + 1] =
      child === 0 ? STAY : ((feature[node] ?? 0) << 9) | ((missingLeft[node] ?? 0) << 8) | (cuts[node] ?? 0);
  }
}

/** Scores blocks of rows on one thread. What it finds of a block depends on nothing else. */
export class BlockScorer {
  private readonly problem: Problem;
  private readonly scoring: Scoring;
  private readonly kernel: LeafFunctions;
  private readonly rows: number;
  private readonly leaves: number;
  private readonly rowList: Uint32Array;
  private readonly leafList: Uint32Array;

  constructor(problem: Problem, scoring: Scoring, thread: number) {
    const { memory } = scoring;
    this.problem = problem;
    this.scoring = scoring;
    this.kernel = instantiateKernel<LeafFunctions>(memory);
    this.rows = scoring.rows[thread] ?? 0;
    this.leaves = scoring.leaves[thread] ?? 0;
    this.rowList = new Uint32Array(memory.buffer, this.rows, SCORED_ROWS);
    this.leafList = new Uint32Array(memory.buffer, this.leaves, SCORED_ROWS);
  }

  /** Lets each row of a block be predicted by the trees that did not draw it, in the order of the trees. */
  score(block: number): void {
    const { problem, scoring, rowList, leafList } = this;
    const { target, mean, columns } = problem;
    const from = block * SCORED_ROWS;
    const to = Math.min(problem.rows, from + SCORED_ROWS);
    const trees = scoring.nodes.length;
    const bytes = Math.ceil(problem.rows / 8);
    const sums = new Float64Array(to - from);
    const squares = new Float64Array(to - from);
    const counts = new Uint32Array(to - from);
    let squared = 0;
    let scored = 0;
    for (let tree = 0; tree < trees; tree++) {
      const values = scoring.values[tree];
      const listed = this.kernel.leavesOfUndrawn(
        scoring.nodes[tree] ?? 0,
        scoring.bins,
        columns.length,
        scoring.drawn + tree * bytes,
        from,
        to,
        this.rows,
        this.leaves,
      );
      for (let i = 0; i < listed; i++) {
        const row = rowList[i] ?? 0;
        const at = row - from;
        const value = (values?.[leafList[i] ?? 0] ?? 0) - mean;
        const actual = target[row] ?? 0;
        const count = counts[at] ?? 0;
        const before = sums[at] ?? 0;
        const sum = before + value;
        if (count > 0) squared -= (before / count - actual) ** 2;
        else scored++;
        squared += (sum / (count + 1) - actual) ** 2;
        sums[at] = sum;
        squares[at] = (squares[at] ?? 0) + value * value;
        counts[at] = count + 1;
      }
      scoring.squared[block * trees + tree] = Math.max(0, squared);
      scoring.scored[block * trees + tree] = scored;
    }
    for (let row = from; row < to; row++) {
      const count = counts[row - from] ?? 0;
      const own = (sums[row - from] ?? 0) / count;
      scoring.predicted[row] = mean + own;
      scoring.spread[row] = Math.sqrt(Math.max(0, (squares[row - from] ?? 0) / count - own * own));
    }
  }
}

/** What the scores of all blocks come to; `places` says where the training row that a problem's row is stands, among `rows`. */
export function outOfBagOf(
  { predicted, spread, squared, scored, nodes }: Scoring,
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
  const curve = new Float64Array(nodes.length);
  for (let tree = 0; tree < nodes.length; tree++) {
    let errors = 0;
    let count = 0;
    for (let i = tree; i < squared.length; i += nodes.length) {
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
