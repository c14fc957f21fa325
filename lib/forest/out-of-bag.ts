import type { LearningCurve, OutOfBag } from './ensemble.ts';
import type { GrownTree } from './grow.ts';
import type { LeafFunctions } from './kernel/functions.ts';
import { instantiateKernel, KernelLayout } from './kernel/kernel.ts';
import { evaluate } from './metrics.ts';
import type { ResolvedOptions } from './options.ts';
import type { Problem } from './problem.ts';
import type { Workspace } from './workspace.ts';

/** The most rows that are scored together: they are many, because each block fetches all trees from memory anew. */
const MOST_ROWS = 20_480;
/** Blocks come in fours, so that no thread of two or four works alone on a last one. */
const BLOCKS_AT_ONCE = 4;

const NODE_BYTES = 8;
const SCORE_NUMBERS = 5;
/** The kernel fills its last group of eight rows up. */
const LIST_BYTES = (MOST_ROWS + 8) * 4;

/** A thread's room, as addresses: lists of rows and of the leaves that they fall into, the rows' scores, and their totals. */
interface ScoringSpace {
  readonly rows: number;
  readonly leaves: number;
  readonly scores: number;
  readonly totals: number;
}

/** Where things lie in the memory of a scoring. */
interface Addresses {
  readonly bins: number;
  readonly drawn: number;
  /** By tree: its nodes as the kernel knows them, and the values of its leaves. */
  readonly nodes: readonly number[];
  readonly values: readonly number[];
  readonly threads: readonly ScoringSpace[];
}

/** What threads score with and where they leave the scores, in shared memory. */
export interface Scoring extends Addresses {
  /** Has its own copy of the bins, the trees and their draws. */
  readonly memory: WebAssembly.Memory;
  /** How many rows are scored together, and how many such blocks there are: by the number of rows alone. */
  readonly blockRows: number;
  readonly blocks: number;
  /** By row: the mean of those trees' predictions that did not learn from it, and its standard deviation. */
  readonly predicted: Float64Array;
  readonly spread: Float64Array;
  /** By block and tree: Σ squared errors with the trees up to it, and over how many rows. */
  readonly squared: Float64Array;
  readonly scored: Float64Array;
}

function addressesOf(
  layout: KernelLayout,
  rows: number,
  features: number,
  nodes: readonly number[],
  threads: number,
): Addresses {
  return {
    bins: layout.take(rows * features),
    drawn: layout.take(Math.ceil(rows / 8) * nodes.length),
    nodes: nodes.map((count) => layout.take(count * NODE_BYTES)),
    values: nodes.map((count) => layout.take(count * 4)),
    threads: Array.from({ length: threads }, () => ({
      rows: layout.take(LIST_BYTES),
      leaves: layout.take(LIST_BYTES),
      scores: layout.take(MOST_ROWS * SCORE_NUMBERS * 8),
      totals: layout.take(16),
    })),
  };
}

/**
 * Whether there will be room to score a forest that is yet to be grown, by the most nodes that its trees can have.
 * @throws LakeletError FOREST_TOO_LARGE where that is more than WebAssembly can address
 */
export function checkScoring(rows: number, features: number, options: ResolvedOptions): void {
  const layout = new KernelLayout();
  const nodes = new Array<number>(options.nEstimators).fill(2 * mostLeaves(rows, options) - 1);
  addressesOf(layout, rows, features, nodes, options.nJobs);
  layout.check(...tooLarge(options.nEstimators));
}

function tooLarge(trees: number): [what: string, advice: string] {
  return [
    `To score ${trees} trees by the rows that they did not draw`,
    'train without oobScore, with fewer trees, or with a larger minSamplesLeaf or a smaller maxDepth',
  ];
}

function mostLeaves(rows: number, { maxDepth, maxSamples, minSamplesLeaf, bootstrap }: ResolvedOptions): number {
  const count = bootstrap ? Math.max(1, Math.round(maxSamples * rows)) : rows;
  // A leaf has a drawn row of its own at least. How many differ is known but for some √rows, of which eight never happen.
  const different = bootstrap ? rows * -Math.expm1(-count / rows) + 8 * Math.sqrt(rows) : rows;
  return Math.max(1, Math.floor(Math.min(rows, 2 ** maxDepth, count / minSamplesLeaf, different)));
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
  const counts = grown.map(({ tree }) => tree.left.length);
  const addresses = addressesOf(layout, rows, columns.length, counts, threads);
  const memory = layout.memory(...tooLarge(grown.length));
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(new Uint8Array(workspace.memory.buffer, workspace.bins, rows * columns.length), addresses.bins);
  bytes.set(drawn, addresses.drawn);
  grown.forEach(({ tree, binned }, number) => {
    if (binned === undefined) throw new Error('the bins that a tree parts rows by were not kept');
    new Uint32Array(memory.buffer, addresses.nodes[number], binned.length).set(binned);
    new Float32Array(memory.buffer, addresses.values[number], tree.value.length).set(tree.value);
  });
  const atOnce = Math.ceil(rows / (BLOCKS_AT_ONCE * MOST_ROWS));
  // A multiple of 8: a block starts on a byte of the draws.
  const blockRows = Math.ceil(rows / (BLOCKS_AT_ONCE * atOnce * 8)) * 8;
  const blocks = Math.ceil(rows / blockRows);
  const numbers = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(length * 8));
  return {
    ...addresses,
    memory,
    blockRows,
    blocks,
    predicted: numbers(rows),
    spread: numbers(rows),
    squared: numbers(blocks * grown.length),
    scored: numbers(blocks * grown.length),
  };
}

/** Scores blocks of rows on one thread. What it finds of a block depends on nothing else. */
export class BlockScorer {
  private readonly problem: Problem;
  private readonly scoring: Scoring;
  private readonly space: ScoringSpace;
  private readonly kernel: LeafFunctions;
  private readonly scores: Float64Array;
  private readonly totals: Float64Array;

  constructor(problem: Problem, scoring: Scoring, thread: number) {
    const { memory } = scoring;
    const space = scoring.threads[thread];
    if (space === undefined) throw new Error(`there is no room for thread ${thread}`);
    this.problem = problem;
    this.scoring = scoring;
    this.space = space;
    this.kernel = instantiateKernel<LeafFunctions>(memory);
    this.scores = new Float64Array(memory.buffer, space.scores, MOST_ROWS * SCORE_NUMBERS);
    this.totals = new Float64Array(memory.buffer, space.totals, 2);
  }

  /** Lets each row of a block be predicted by the trees that did not draw it, in the order of the trees. */
  score(block: number): void {
    const { problem, scoring, space, scores, totals } = this;
    const { target, mean, columns } = problem;
    const from = block * scoring.blockRows;
    const to = Math.min(problem.rows, from + scoring.blockRows);
    const trees = scoring.nodes.length;
    const bytes = Math.ceil(problem.rows / 8);
    scores.fill(0);
    totals.fill(0);
    for (let row = from; row < to; row++) scores[(row - from) * SCORE_NUMBERS] = target[row] ?? 0;
    for (let tree = 0; tree < trees; tree++) {
      this.kernel.scoreUndrawn(
        scoring.nodes[tree] ?? 0,
        scoring.values[tree] ?? 0,
        mean,
        scoring.bins,
        columns.length,
        scoring.drawn + tree * bytes,
        from,
        to,
        space.rows,
        space.leaves,
        space.scores,
        space.totals,
      );
      scoring.squared[block * trees + tree] = Math.max(0, totals[0] ?? 0);
      scoring.scored[block * trees + tree] = totals[1] ?? 0;
    }
    for (let row = from; row < to; row++) {
      const at = (row - from) * SCORE_NUMBERS;
      const count = scores[at + 4] ?? 0;
      const own = (scores[at + 1] ?? 0) / count;
      scoring.predicted[row] = mean + own;
      scoring.spread[row] = Math.sqrt(Math.max(0, (scores[at + 2] ?? 0) / count - own * own));
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
  const placed = (values: Float64Array): Float64Array => {
    const all = new Float64Array(rows).fill(NaN);
    if (places === undefined) all.set(values);
    else for (let row = 0; row < values.length; row++) all[places[row] ?? 0] = values[row] ?? NaN;
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
  const all = placed(predicted);
  const known = new Float64Array(predicted.length);
  const knownActual = new Float64Array(predicted.length);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const own = all[row] ?? NaN;
    if (Number.isNaN(own)) continue;
    known[count] = own;
    knownActual[count++] = actual[row] ?? NaN;
  }
  const metrics =
    count === 0 ? { r2: NaN, mae: NaN, rmse: NaN } : evaluate(knownActual.subarray(0, count), known.subarray(0, count));
  return {
    outOfBag: { predicted: all, spread: placed(spread), metrics },
    learningCurve: { name: 'oob_rmse', values: curve },
  };
}
