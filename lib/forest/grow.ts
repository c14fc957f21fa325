import { ABOVE_ALL, MISSING_BIN } from './bin.ts';
import { accumulate, type DrawnRows, HISTOGRAM_STRIDE } from './histogram.ts';
import type { ResolvedOptions } from './options.ts';
import type { Problem } from './problem.ts';
import { type Random, randomStream } from './random.ts';
import { resetSplit, type Split, searchHistogram } from './split.ts';
import { type Tree, TreeBuilder } from './tree.ts';

/** A grown tree, and how much each feature's splits lowered the squared error, summed over the drawn rows. */
export interface GrownTree {
  readonly tree: Tree;
  readonly gains: Float64Array;
}

const PASS = 3;

/**
 * Grows trees one after the other on one thread, in memory that it keeps from tree to tree (about 28 bytes a training
 * row). A tree depends on the problem, the options and its own number alone.
 *
 * Histograms of a parent are not kept to derive a sibling's by subtraction: each node draws its own features, so
 * parent and child rarely share any.
 */
export class TreeGrower {
  private readonly problem: Problem;
  private readonly options: ResolvedOptions;
  private readonly rows: DrawnRows;
  private readonly aside: DrawnRows;
  private readonly sums = new Float64Array(PASS * HISTOGRAM_STRIDE);
  private readonly weights = new Int32Array(PASS * HISTOGRAM_STRIDE);
  private readonly features: Int32Array;
  private readonly tried: number;
  private readonly builder = new TreeBuilder();
  private readonly best: Split = { feature: -1, cut: 0, missingLeft: false, score: 0, leftSum: 0, leftWeight: 0 };

  constructor(problem: Problem, options: ResolvedOptions) {
    this.problem = problem;
    this.options = options;
    this.rows = drawnRows(problem.rows);
    this.aside = drawnRows(problem.rows);
    this.features = Int32Array.from(problem.columns, (_, index) => index);
    this.tried = Math.max(1, Math.floor(options.maxFeatures * problem.columns.length + 1e-9));
  }

  /** Grows tree `number`; `ended` is asked at each large node whether to give up, and then the tree is of no use. */
  grow(number: number, ended: () => boolean): GrownTree {
    const { builder, best, options, problem } = this;
    const random = randomStream(options.randomState, number);
    const gains = new Float64Array(problem.columns.length);
    // Any order of features is as good as another to draw from, but it must not come from the tree before.
    for (let i = 0; i < this.features.length; i++) this.features[i] = i;
    const drawn = this.draw(random);
    builder.restart();
    const stack = [{ node: 0, from: 0, to: drawn.count, depth: 0, sum: drawn.sum, weight: drawn.weight }];
    for (let open = stack.pop(); open !== undefined; open = stack.pop()) {
      const { node, from, to, depth, sum, weight } = open;
      if (to - from > 10_000 && ended()) break;
      const leaf = depth >= options.maxDepth || to - from < 2 || weight < 2 * options.minSamplesLeaf;
      if (leaf || !this.search(from, to, sum, weight, random)) {
        builder.setLeaf(node, problem.mean + sum / weight);
        continue;
      }
      const { feature, cut, missingLeft, leftSum, leftWeight } = best;
      const edges = problem.edges[feature] ?? new Float32Array();
      const left = builder.setSplit(node, feature, edges[cut] ?? ABOVE_ALL, missingLeft);
      gains[feature] = (gains[feature] ?? 0) + Math.max(0, best.score - (sum * sum) / weight);
      if (depth + 1 >= options.maxDepth) {
        builder.setLeaf(left, problem.mean + leftSum / leftWeight);
        builder.setLeaf(left + 1, problem.mean + (sum - leftSum) / (weight - leftWeight));
        continue;
      }
      const middle = this.partition(from, to, feature, cut, missingLeft);
      stack.push({
        node: left + 1,
        from: middle,
        to,
        depth: depth + 1,
        sum: sum - leftSum,
        weight: weight - leftWeight,
      });
      stack.push({ node: left, from, to: middle, depth: depth + 1, sum: leftSum, weight: leftWeight });
    }
    return { tree: builder.finish(), gains };
  }

  /** Draws the tree's rows, with replacement where asked; a row drawn several times is kept once, with its weight. */
  private draw(random: Random): { count: number; sum: number; weight: number } {
    const { index, weight, sum } = this.rows;
    const { target, rows } = this.problem;
    const times = this.aside.weight;
    times.fill(this.options.bootstrap ? 0 : 1);
    if (this.options.bootstrap) {
      for (let i = 0; i < rows; i++) {
        const row = random.below(rows);
        times[row] = (times[row] ?? 0) + 1;
      }
    }
    let count = 0;
    let total = 0;
    for (let row = 0; row < rows; row++) {
      const drawn = times[row] ?? 0;
      if (drawn === 0) continue;
      const product = (target[row] ?? 0) * drawn;
      index[count] = row;
      weight[count] = drawn;
      sum[count] = product;
      total += product;
      count++;
    }
    return { count, sum: total, weight: rows };
  }

  /** Finds the best split among drawn features, into `this.best`; false where the node is to be a leaf. */
  private search(from: number, to: number, sum: number, weight: number, random: Random): boolean {
    const { best, features, sums, weights } = this;
    const { bins, edges } = this.problem;
    resetSplit(best);
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
      accumulate(this.rows, from, to, bins, features.length, features, done, pass, sums, weights);
      for (let i = 0; i < pass; i++) {
        const feature = features[done + i] ?? 0;
        const count = (edges[feature]?.length ?? 0) + 1;
        if (
          searchHistogram(
            sums,
            weights,
            i * HISTOGRAM_STRIDE,
            count,
            feature,
            sum,
            weight,
            this.options.minSamplesLeaf,
            best,
          )
        )
          varied = true;
      }
      done += pass;
    }
    if (best.feature < 0) return false;
    // The gain of a constant target is 0 but for rounding, and so may be that of a split worth making (exclusive or).
    const parent = (sum * sum) / weight;
    return best.score - parent > 1e-9 * parent || !this.constantTarget(from, to);
  }

  private constantTarget(from: number, to: number): boolean {
    const { target } = this.problem;
    const { index } = this.rows;
    const first = target[index[from] ?? 0];
    for (let i = from + 1; i < to; i++) if (target[index[i] ?? 0] !== first) return false;
    return true;
  }

  /** Brings a node's rows into the order of its children, each in ascending order, and returns where the right one starts. */
  private partition(from: number, to: number, feature: number, cut: number, missingLeft: boolean): number {
    const { index, weight, sum } = this.rows;
    const aside = this.aside;
    const { bins } = this.problem;
    const stride = this.features.length;
    const missing = missingLeft ? MISSING_BIN : -1;
    let left = from;
    let right = 0;
    for (let i = from; i < to; i++) {
      const row = index[i] ?? 0;
      const bin = bins[row * stride + feature] ?? 0;
      const goesLeft = bin <= cut || bin === missing ? 1 : 0;
      // Written to both sides, and only one moves on: a branch here would be mispredicted half of the time.
      const w = weight[i] ?? 0;
      const s = sum[i] ?? 0;
      index[left] = row;
      weight[left] = w;
      sum[left] = s;
      aside.index[right] = row;
      aside.weight[right] = w;
      aside.sum[right] = s;
      left += goesLeft;
      right += 1 - goesLeft;
    }
    index.set(aside.index.subarray(0, right), left);
    weight.set(aside.weight.subarray(0, right), left);
    sum.set(aside.sum.subarray(0, right), left);
    return left;
  }
}

function drawnRows(count: number): DrawnRows {
  return { index: new Uint32Array(count), weight: new Uint8Array(count), sum: new Float64Array(count) };
}
