import { LakeletError } from '../errors.ts';
import type { Tree } from './tree.ts';

/** What is predicted for rows, an entry each. */
export interface Predictions {
  readonly predicted: Float64Array;
  /** The standard deviation of the trees' leaves, where it was asked for. */
  readonly spread?: Float64Array;
}

/** Predicts each row of a row-major matrix of 32-bit floats: the base and the trees' leaves, of a forest their mean. */
export type Predictor = (matrix: Float32Array, withSpread?: boolean) => Predictions;

/** What a predictor is made from: of a {@link TreeEnsemble} that much. */
export interface Compilable {
  readonly algorithm: 'forest' | 'boosting';
  readonly features: readonly unknown[];
  readonly trees: readonly Tree[];
  readonly base: number;
}

const BLOCK_ROWS = 2048;
const MISSING = 0xffff;

/**
 * Prepares trees for many rows. Values are first replaced by their rank among the thresholds of their feature, so that
 * a step down a tree is whole-number arithmetic without a branch, which a processor could not foresee.
 */
export function compilePredictor({ algorithm, features, trees, base }: Compilable): Predictor {
  const width = features.length;
  const divisor = algorithm === 'forest' ? trees.length : 1;
  const thresholds = thresholdsOf(trees, width);
  const compiled = trees.map((tree) => compileTree(tree, thresholds));
  const origin = middleOf(trees);
  return (matrix, withSpread = false) => {
    const rows = matrix.length / width;
    if (!Number.isInteger(rows))
      throw new LakeletError(
        'FOREST_INVALID_DATA',
        `A matrix of ${matrix.length} values is not made of rows of ${width} features; check its shape.`,
      );
    const result = new Float64Array(rows);
    const squares = withSpread ? new Float64Array(rows) : undefined;
    const ranks = new Uint16Array(BLOCK_ROWS * width);
    for (let from = 0; from < rows; from += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - from);
      for (let feature = 0; feature < width; feature++) {
        const sorted = thresholds[feature] ?? new Float32Array();
        for (let row = 0; row < count; row++)
          ranks[row * width + feature] = rankOf(matrix[(from + row) * width + feature] ?? NaN, sorted);
      }
      for (const tree of compiled) addTree(tree, ranks, width, count, result, from, squares, origin);
    }
    const spread = squares?.map((square, row) => deviationOf(square, result[row] ?? 0, trees.length, origin));
    for (let row = 0; row < rows; row++) result[row] = base + (result[row] ?? 0) / divisor;
    return spread === undefined ? { predicted: result } : { predicted: result, spread };
  };
}

/** The standard deviation of `count` values, of which the sum and the sum of squared distances from `origin` are known. */
function deviationOf(squares: number, sum: number, count: number, origin: number): number {
  return Math.sqrt(Math.max(0, squares / count - (sum / count - origin) ** 2));
}

/** A value amid the leaves, the mean of the trees' means of theirs; squares of what is far from it would lose digits. */
function middleOf(trees: readonly Tree[]): number {
  let sum = 0;
  for (const { value } of trees) {
    // Other nodes hold 0, and a tree of n leaves has n − 1 of them.
    const leaves = (value.length + 1) / 2;
    sum += value.reduce((total, leaf) => total + leaf, 0) / leaves;
  }
  return sum / trees.length;
}

/**
 * Nodes as triples of whole numbers: left child, feature, and rank of the threshold × 2 + missingLeft. A leaf is its own
 * left child, and has a threshold that no rank exceeds, so that a row that is there stays there.
 */
interface CompiledTree {
  readonly nodes: Int32Array;
  readonly value: Float32Array;
}

function compileTree(tree: Tree, thresholds: readonly Float32Array[]): CompiledTree {
  const count = tree.left.length;
  const nodes = new Int32Array(count * 3);
  for (let node = 0; node < count; node++) {
    const left = tree.left[node] ?? 0;
    if (left === 0) {
      nodes[node * 3] = node;
      nodes[node * 3 + 2] = MISSING * 2;
      continue;
    }
    const feature = tree.feature[node] ?? 0;
    const missingLeft = tree.missingLeft[node] ?? 0;
    const rank = rankOf(tree.threshold[node] ?? 0, thresholds[feature] ?? new Float32Array());
    nodes[node * 3] = left;
    nodes[node * 3 + 1] = feature;
    nodes[node * 3 + 2] = rank * 2 + missingLeft;
  }
  return { nodes, value: tree.value };
}

/**
 * Adds a tree's leaves to the sums of `count` rows, whose ranks begin at `ranks[0]`. Four rows go down together: each
 * step waits for the one before it, so a processor has time for those of the others. Places beyond the last row are
 * walked with whatever ranks stand there, and left out of the sums.
 */
function addTree(
  tree: CompiledTree,
  ranks: Uint16Array,
  width: number,
  count: number,
  result: Float64Array,
  from: number,
  squares: Float64Array | undefined,
  origin: number,
): void {
  const { nodes, value } = tree;
  for (let row = 0; row < count; row += 4) {
    const first = row * width;
    const second = first + width;
    const third = second + width;
    const fourth = third + width;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let moved = true; moved; ) {
      const nextA = step(nodes, ranks, first, a);
      const nextB = step(nodes, ranks, second, b);
      const nextC = step(nodes, ranks, third, c);
      const nextD = step(nodes, ranks, fourth, d);
      moved = ((nextA ^ a) | (nextB ^ b) | (nextC ^ c) | (nextD ^ d)) !== 0;
      a = nextA;
      b = nextB;
      c = nextC;
      d = nextD;
    }
    const at = from + row;
    result[at] = (result[at] ?? 0) + (value[a] ?? 0);
    if (row + 1 < count) result[at + 1] = (result[at + 1] ?? 0) + (value[b] ?? 0);
    if (row + 2 < count) result[at + 2] = (result[at + 2] ?? 0) + (value[c] ?? 0);
    if (row + 3 < count) result[at + 3] = (result[at + 3] ?? 0) + (value[d] ?? 0);
    if (squares === undefined) continue;
    squares[at] = (squares[at] ?? 0) + ((value[a] ?? 0) - origin) ** 2;
    if (row + 1 < count) squares[at + 1] = (squares[at + 1] ?? 0) + ((value[b] ?? 0) - origin) ** 2;
    if (row + 2 < count) squares[at + 2] = (squares[at + 2] ?? 0) + ((value[c] ?? 0) - origin) ** 2;
    if (row + 3 < count) squares[at + 3] = (squares[at + 3] ?? 0) + ((value[d] ?? 0) - origin) ** 2;
  }
}

/** The node that follows for the row whose ranks begin at `base`. */
function step(nodes: Int32Array, ranks: Uint16Array, base: number, node: number): number {
  const at = node * 3;
  const rank = ranks[base + (nodes[at + 1] ?? 0)] ?? 0;
  const test = nodes[at + 2] ?? 0;
  const missingLeft = test & 1;
  // Where missing goes left, all ranks move up by one and the missing one comes round to 0. Right is 1 where the rank is greater.
  return (nodes[at] ?? 0) + (((test >>> 1) + missingLeft - ((rank + missingLeft) & MISSING)) >>> 31);
}

function thresholdsOf(trees: readonly Tree[], width: number): Float32Array[] {
  const sets = Array.from({ length: width }, () => new Set<number>());
  for (const tree of trees) {
    for (let node = 0; node < tree.left.length; node++) {
      if (tree.left[node] !== 0) sets[tree.feature[node] ?? 0]?.add(tree.threshold[node] ?? 0);
    }
  }
  return sets.map((set) => {
    if (set.size >= MISSING - 1)
      throw new LakeletError(
        'FOREST_MODEL_TOO_LARGE',
        `A feature of the forest has ${set.size} thresholds, which is too many to predict with; use fewer bins.`,
      );
    return Float32Array.from(set).sort();
  });
}

/** How many thresholds are below a value: x ≤ thresholds[i] exactly where the rank is at most i. NaN has the greatest rank. */
function rankOf(value: number, sorted: Float32Array): number {
  if (Number.isNaN(value)) return MISSING;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= (sorted[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
