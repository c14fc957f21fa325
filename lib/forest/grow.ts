import { ABOVE_ALL, MISSING_BIN } from './bin.ts';
import { type Drawn, drawRows, type RowLists } from './draw.ts';
import type { ForestFunctions } from './kernel/functions.ts';
import { instantiateKernel } from './kernel/kernel.ts';
import { type ResolvedOptions, triedFeatures } from './options.ts';
import { OutcomeWriter } from './outcomes.ts';
import type { Problem } from './problem.ts';
import { type Random, randomStream } from './random.ts';
import { type Tree, TreeBuilder } from './tree.ts';
import type { ThreadSpace, Workspace } from './workspace.ts';

/** A grown tree, and how much each feature's splits lowered the squared error, summed over the drawn rows. */
export interface GrownTree {
  readonly tree: Tree;
  readonly gains: Float64Array;
  /** The tree's nodes as the kernel walks them, two words each; where trees are to be scored. */
  readonly binned?: Uint32Array<ArrayBuffer>;
}

/** Rows `from` … `to` − 1 of the lists, which are a node of the tree. */
interface OpenNode {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly sum: number;
  readonly weight: number;
  /** How many rows were drawn, one drawn twice counting twice. */
  readonly count: number;
}

/** The best split of a node, and what goes left. */
interface Split {
  readonly feature: number;
  readonly cut: number;
  readonly missingLeft: boolean;
  readonly score: number;
  readonly sum: number;
  readonly weight: number;
  readonly count: number;
}

/** How many features are summed in one pass over the rows. */
const PASS = 3;

/**
 * Grows trees one after the other on one thread, in its part of the workspace. A tree depends on the problem, the
 * options and its own number alone.
 *
 * Histograms of a parent are not kept to derive a sibling's by subtraction: each node draws its own features, so
 * parent and child rarely share any.
 */
export class TreeGrower {
  private readonly problem: Problem;
  private readonly options: ResolvedOptions;
  private readonly workspace: Workspace;
  private readonly space: ThreadSpace;
  private readonly kernel: ForestFunctions;
  private readonly lists: RowLists;
  private readonly times: Uint32Array;
  private readonly features: Uint32Array;
  private readonly bestFloats: Float64Array;
  private readonly bestInts: Int32Array;
  private readonly tried: number;
  private readonly outcomes: OutcomeWriter | undefined;
  private readonly builder = new TreeBuilder();

  constructor(problem: Problem, options: ResolvedOptions, workspace: Workspace, thread: number) {
    const { rows, columns } = problem;
    const { memory } = workspace;
    const space = workspace.threads[thread];
    if (space === undefined) throw new Error(`there is no room for thread ${thread}`);
    this.problem = problem;
    this.options = options;
    this.workspace = workspace;
    this.space = space;
    this.kernel = instantiateKernel(memory);
    this.lists = {
      index: new Uint32Array(memory.buffer, space.index, rows),
      sums: new Float64Array(memory.buffer, space.sums, rows * 2),
      drawn: space.drawn === 0 ? undefined : new Uint32Array(memory.buffer, space.drawn, rows),
    };
    this.times = new Uint32Array(memory.buffer, space.indexAside, rows);
    this.features = new Uint32Array(memory.buffer, space.features, columns.length);
    this.bestFloats = new Float64Array(memory.buffer, space.best, 4);
    this.bestInts = new Int32Array(memory.buffer, space.best + 32, 3);
    this.tried = triedFeatures(options.maxFeatures, columns.length);
    this.outcomes = options.quantile === undefined ? undefined : new OutcomeWriter(rows, options.quantile);
  }

  /** Grows tree `number`; `ended` is asked at each large node whether to give up, and then the tree is of no use. */
  grow(number: number, ended: () => boolean): GrownTree {
    const { builder, options, problem } = this;
    const random = randomStream(options.randomState, number);
    const gains = new Float64Array(problem.columns.length);
    // Any order of features is as good as another to draw from, but it must not come from the tree before.
    for (let i = 0; i < this.features.length; i++) this.features[i] = i;
    const drawn = this.draw(number, random);
    builder.restart();
    const stack: OpenNode[] = [
      { node: 0, from: 0, to: drawn.rows, depth: 0, sum: drawn.sum, weight: drawn.weight, count: drawn.count },
    ];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.to - next.from > 10_000 && ended()) break;
      const open = this.outcomes === undefined ? next : this.withOutcomes(next, this.outcomes);
      const split = this.isLeaf(open) ? undefined : this.search(open, random);
      if (split === undefined) {
        builder.setLeaf(open.node, this.valueOf(open));
        continue;
      }
      const edge = problem.edges[split.feature]?.[split.cut] ?? ABOVE_ALL;
      const node = builder.setSplit(open.node, split.feature, edge, split.cut, split.missingLeft);
      gains[split.feature] = (gains[split.feature] ?? 0) + Math.max(0, split.score - open.sum ** 2 / open.weight);
      const depth = open.depth + 1;
      const { sum, weight, count } = split;
      const sumRight = open.sum - sum;
      const weightRight = open.weight - weight;
      const countRight = open.count - count;
      // What both children hold is known; which rows these are need not be, where neither can be split.
      if (this.outcomes === undefined && this.cannotSplit(depth, count) && this.cannotSplit(depth, countRight)) {
        builder.setLeaf(node, problem.mean + sum / weight);
        builder.setLeaf(node + 1, problem.mean + sumRight / weightRight);
        continue;
      }
      const { from, to } = open;
      const middle = this.partition(open, split);
      stack.push({ node: node + 1, from: middle, to, depth, sum: sumRight, weight: weightRight, count: countRight });
      stack.push({ node, from, to: middle, depth, sum, weight, count });
    }
    return { tree: builder.finish(), gains, ...(options.oobScore && { binned: builder.binned() }) };
  }

  private draw(number: number, random: Random): Drawn {
    const { problem } = this;
    const bytes = Math.ceil(problem.rows / 8);
    const bits = problem.drawn?.subarray(number * bytes, (number + 1) * bytes);
    return drawRows(problem, this.options, random, this.lists, this.times, bits);
  }

  private withOutcomes(open: OpenNode, outcomes: OutcomeWriter): OpenNode {
    if (this.isLeaf(open)) return open;
    const { index, sums } = this.lists;
    return { ...open, sum: outcomes.write(this.problem.target, index, sums, open.from, open.to).sum };
  }

  private valueOf({ from, to, sum, weight }: OpenNode): number {
    const { mean, target } = this.problem;
    if (this.outcomes === undefined) return mean + sum / weight;
    return mean + this.outcomes.quantile(target, this.lists.index, this.lists.sums, from, to);
  }

  private cannotSplit(depth: number, count: number): boolean {
    return depth >= this.options.maxDepth || count < 2 || count < 2 * this.options.minSamplesLeaf;
  }

  private isLeaf(open: OpenNode): boolean {
    return open.to - open.from < 2 || this.cannotSplit(open.depth, open.count);
  }

  /** The best split among drawn features; undefined where the node is to be a leaf. */
  private search({ from, to, sum, weight, count }: OpenNode, random: Random): Split | undefined {
    const { features, space, workspace, bestFloats, bestInts } = this;
    bestFloats[0] = -Infinity;
    bestInts[0] = -1;
    let varied = false;
    // As in scikit-learn: features beyond the share are tried only while all that were drawn are constant in the node.
    for (let done = 0; done < features.length && (done < this.tried || !varied); ) {
      const pass = done < this.tried ? Math.min(PASS, this.tried - done) : 1;
      for (let i = done; i < done + pass; i++) {
        const other = i + random.below(features.length - i);
        const drawn = features[other] ?? 0;
        features[other] = features[i] ?? 0;
        features[i] = drawn;
      }
      const several = this.kernel.forestSearch(
        space.index,
        space.sums,
        space.drawn,
        from,
        to,
        workspace.bins,
        features.length,
        space.features + 4 * done,
        pass,
        workspace.binCounts,
        space.scratch,
        sum,
        weight,
        count,
        this.options.minSamplesLeaf,
        space.best,
      );
      if (several !== 0) varied = true;
      done += pass;
    }
    const feature = bestInts[0] ?? -1;
    if (feature < 0) return undefined;
    const score = bestFloats[0] ?? 0;
    // The gain of a constant target is 0 but for rounding, and so may be that of a split worth making (exclusive or).
    const parent = (sum * sum) / weight;
    if (!(score - parent > 1e-9 * parent) && this.constantTarget(from, to)) return undefined;
    return {
      feature,
      cut: bestInts[1] ?? 0,
      missingLeft: bestInts[2] === 1,
      score,
      sum: bestFloats[1] ?? 0,
      weight: bestFloats[2] ?? 0,
      count: bestFloats[3] ?? 0,
    };
  }

  private constantTarget(from: number, to: number): boolean {
    const { target } = this.problem;
    const { index } = this.lists;
    const first = target[index[from] ?? 0];
    for (let i = from + 1; i < to; i++) if (target[index[i] ?? 0] !== first) return false;
    return true;
  }

  /** Brings a node's rows into the order of its children, each in ascending order, and returns where the right one starts. */
  private partition({ from, to }: OpenNode, { feature, cut, missingLeft }: Split): number {
    const { space } = this;
    return this.kernel.forestPartition(
      space.index,
      space.sums,
      space.drawn,
      space.indexAside,
      space.sumsAside,
      space.drawnAside,
      from,
      to,
      this.workspace.bins + feature,
      this.features.length,
      cut,
      missingLeft ? MISSING_BIN : -1,
    );
  }
}
