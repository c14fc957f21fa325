import { ABOVE_ALL } from '../bin.ts';
import { type Random, randomStream } from '../random.ts';
import type { Tree } from '../tree.ts';
import { Frontier } from './frontier.ts';
import type { BoostingFunctions } from './functions.ts';
import type { BoostingJob } from './job.ts';
import { BIN_BYTES, LINE_BYTES, RESULT_BYTES } from './layout.ts';
import { TreeParts } from './tree-parts.ts';

/** How often a thread looks whether the others are there before it sleeps. */
const LOOKS = 60_000;
/** Gains below this share of a node's own score are rounding. */
const LEAST_GAIN = 1e-12;

/** The best split of a node, its sums in the kernel's units. */
interface BestSplit {
  readonly feature: number;
  readonly cut: number;
  readonly missingLeft: boolean;
  readonly leftSum: bigint;
  readonly leftPacked: bigint;
}

/** A node of the tree while it grows. */
interface OpenNode {
  readonly node: number;
  /** Where this thread's own rows of the node lie in its list. */
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly sum: bigint;
  readonly packed: bigint;
  /** Where its histogram is kept; −1 where it is not. */
  readonly slot: number;
  readonly gain: number;
  readonly split: BestSplit | undefined;
}

/** A node without what is only known once it was searched. */
type Child = Omit<OpenNode, 'slot' | 'gain' | 'split'>;

/** A leaf: this thread's own rows of it, and the sums of all threads' in the kernel's units. */
export interface Leaf {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly sum: number;
  readonly weight: number;
}

/** A tree that has no values yet, and what its splits gained by feature, in the kernel's units. */
export interface GrownTree {
  readonly tree: Tree;
  readonly leaves: readonly Leaf[];
  readonly gains: Float64Array;
}

/**
 * Grows one tree after the other, best split first, in step with the other threads. All threads take the same decisions
 * from the same sums; each has rows of its own, which it sums and parts, and features of its own, whose sums it adds up
 * over all threads and searches. Of two children only the one of fewer rows is summed; the other is what it leaves of
 * their parent. Two meetings a split are all that threads wait for.
 */
export class BoostedTreeGrower {
  private readonly job: BoostingJob;
  private readonly kernel: BoostingFunctions;
  private readonly thread: number;
  private readonly own: readonly number[];
  private readonly words: BigInt64Array;
  private readonly halves: Int32Array;
  private readonly floats: Float64Array;
  private readonly index: number;
  private readonly aside: number;
  private readonly tried: number;
  /** `l2Regularization` in the unit of the weights. */
  private readonly l2: number;
  private readonly countMask: bigint;
  private readonly frontier = new Frontier<OpenNode>();
  private freeSlots: number[] = [];
  private random: Random;
  private readonly order: Int32Array;

  constructor(job: BoostingJob, kernel: BoostingFunctions, thread: number) {
    const { layout, options, weighting, memory } = job;
    this.job = job;
    this.kernel = kernel;
    this.thread = thread;
    this.own = featuresOf(thread, layout.threads, layout.bins);
    this.words = new BigInt64Array(memory.buffer);
    this.halves = new Int32Array(memory.buffer);
    this.floats = new Float64Array(memory.buffer);
    this.index = layout.index + thread * layout.indexBytes;
    this.aside = layout.aside + thread * layout.indexBytes;
    this.tried = Math.max(1, Math.floor(options.maxFeatures * layout.bins.length + 1e-9));
    this.l2 = options.l2Regularization / weighting.unit;
    this.countMask = weighting.countBits === 0 ? -1n : (1n << BigInt(weighting.countBits)) - 1n;
    this.random = randomStream(options.randomState, 0);
    this.order = new Int32Array(layout.bins.length);
  }

  /** Waits until all threads are here. */
  meet(): void {
    const { meeting, threads } = this.job.layout;
    if (threads > 1) this.kernel.boostingMeet(meeting, threads, LOOKS);
  }

  /** Grows tree `number` from the gradients of this thread's `count` rows, whose sums all threads left in `totals`. */
  grow(number: number, count: number): GrownTree {
    const { layout, options } = this.job;
    const { frontier } = this;
    const tree = new TreeParts();
    const gains = new Float64Array(layout.bins.length);
    const leaves: Leaf[] = [];
    this.random = randomStream(options.randomState, number);
    this.freeSlots = Array.from({ length: layout.slotCount - 2 }, (_, slot) => slot + 2);
    frontier.clear();
    this.place(this.root(count), leaves);
    let size = 1;
    for (let open = frontier.take(); open !== undefined; open = frontier.take()) {
      const { split } = open;
      if (split === undefined || size >= options.maxLeafNodes) {
        leaves.push(this.leafOf(open));
        continue;
      }
      size++;
      const edge = this.job.edges[split.feature]?.[split.cut] ?? ABOVE_ALL;
      const left = tree.split(open.node, split.feature, edge, split.missingLeft);
      gains[split.feature] = (gains[split.feature] ?? 0) + open.gain;
      const children = this.part(open, split, left);
      // The children of the last split are leaves whatever they hold.
      const last = size >= options.maxLeafNodes;
      for (const child of last ? this.unsearched(open, children) : this.search(open, children))
        this.place(child, leaves);
    }
    return { tree: tree.finish(), leaves, gains };
  }

  private root(count: number): OpenNode {
    const { layout } = this.job;
    const slot = this.freeSlots.pop() ?? 0;
    this.sum(0, count);
    this.meet();
    const total = layout.totals;
    const address = this.totalOf(0);
    this.kernel.boostingMerge(address, total, LINE_BYTES, layout.threads, 1);
    const root = {
      node: 0,
      from: 0,
      to: count,
      depth: 0,
      sum: this.words[address / 8] ?? 0n,
      packed: this.words[address / 8 + 1] ?? 0n,
    };
    this.merge(slot);
    const drawn = this.draw();
    const wanted = this.splittable(root);
    if (wanted) this.searchOwn(root, slot, 0, drawn);
    this.meet();
    return this.opened(root, slot, 0, wanted ? drawn : []);
  }

  /** Puts a node where it belongs: among those that may be split, or the leaves, which need no histogram any more. */
  private place(open: OpenNode, leaves: Leaf[]): void {
    if (open.split !== undefined) {
      this.frontier.add(open);
      return;
    }
    this.release(open.slot);
    leaves.push(this.leafOf(open));
  }

  private release(slot: number): void {
    if (slot >= 2) this.freeSlots.push(slot);
  }

  /** Parts this thread's rows of a node; the children's sums are known from the split. */
  private part(open: OpenNode, split: BestSplit, left: number): [Child, Child] {
    const { layout } = this.job;
    const bins = layout.bins[split.feature] ?? 0;
    const middle = this.kernel.boostingPartition(
      this.index,
      this.aside,
      open.from,
      open.to,
      layout.rowBins + split.feature,
      layout.bins.length,
      split.cut,
      split.missingLeft ? bins : -1,
    );
    const depth = open.depth + 1;
    const rightSum = open.sum - split.leftSum;
    const rightPacked = open.packed - split.leftPacked;
    return [
      { node: left, from: open.from, to: middle, depth, sum: split.leftSum, packed: split.leftPacked },
      { node: left + 1, from: middle, to: open.to, depth, sum: rightSum, packed: rightPacked },
    ];
  }

  private unsearched(parent: OpenNode, children: readonly Child[]): OpenNode[] {
    this.release(parent.slot);
    return children.map((child) => ({ ...child, slot: -1, gain: 0, split: undefined }));
  }

  /** Makes the histograms of two children, and finds their best splits. */
  private search(parent: OpenNode, children: readonly [Child, Child]): OpenNode[] {
    const [left, right] = children;
    if (!this.splittable(left) && !this.splittable(right)) return this.unsearched(parent, children);
    const leftIsSmaller = this.countOf(left.packed) <= this.countOf(right.packed);
    const [smaller, larger] = leftIsSmaller ? [left, right] : [right, left];
    // The first two slots are for histograms that there is no room to keep.
    const smallerSlot = this.freeSlots.pop() ?? 0;
    this.sum(smaller.from, smaller.to);
    this.meet();
    this.merge(smallerSlot);
    let largerSlot = parent.slot;
    if (largerSlot >= 2) this.subtract(largerSlot, smallerSlot);
    else {
      largerSlot = this.freeSlots.pop() ?? 1;
      this.meet();
      this.sum(larger.from, larger.to);
      this.meet();
      this.merge(largerSlot);
    }
    const found = [
      { child: smaller, slot: smallerSlot, drawn: this.splittable(smaller) ? this.draw() : [] },
      { child: larger, slot: largerSlot, drawn: this.splittable(larger) ? this.draw() : [] },
    ];
    found.forEach(({ child, slot, drawn }, place) => {
      this.words[this.totalOf(child.node) / 8] = child.sum;
      this.words[this.totalOf(child.node) / 8 + 1] = child.packed;
      this.searchOwn(child, slot, place, drawn);
    });
    this.meet();
    return found.map(({ child, slot, drawn }, place) => this.opened(child, slot, place, drawn));
  }

  /** Sums this thread's rows `from` … `to` − 1 into its own histograms. */
  private sum(from: number, to: number): void {
    const { layout, weighting } = this.job;
    const histogram = layout.partial + this.thread * layout.histogramBytes;
    this.kernel.boostingHistogram(
      this.index,
      from,
      to,
      layout.rowBins,
      layout.bins.length,
      layout.gradients,
      layout.weights,
      weighting.countBits,
      layout.offsets,
      layout.bins.length,
      histogram,
      layout.histogramBytes,
    );
  }

  private merge(slot: number): void {
    const { partial, histogramBytes, threads, starts, bins } = this.job.layout;
    for (const feature of this.own) {
      const start = (starts[feature] ?? 0) * BIN_BYTES;
      const into = this.slotAt(slot) + start;
      this.kernel.boostingMerge(into, partial + start, histogramBytes, threads, (bins[feature] ?? 0) + 1);
    }
  }

  private subtract(parent: number, child: number): void {
    const { starts, bins } = this.job.layout;
    for (const feature of this.own) {
      const start = (starts[feature] ?? 0) * BIN_BYTES;
      this.kernel.boostingSubtract(this.slotAt(parent) + start, this.slotAt(child) + start, (bins[feature] ?? 0) + 1);
    }
  }

  private searchOwn(child: Child, slot: number, place: number, drawn: readonly number[]): void {
    const { layout, weighting, options } = this.job;
    for (const feature of this.own) {
      if (!drawn.includes(feature)) continue;
      this.kernel.boostingSearch(
        this.slotAt(slot) + (layout.starts[feature] ?? 0) * BIN_BYTES,
        layout.bins[feature] ?? 0,
        this.totalOf(child.node),
        weighting.countBits,
        this.l2,
        options.minSamplesLeaf,
        this.resultOf(place, feature),
      );
    }
  }

  /** The best of what all threads found; of equal splits that of the first feature. */
  private opened(child: Child, slot: number, place: number, drawn: readonly number[]): OpenNode {
    let best = -1;
    let score = -Infinity;
    for (const feature of drawn) {
      const found = this.floats[this.resultOf(place, feature) / 8] ?? -Infinity;
      if (found <= score) continue;
      best = feature;
      score = found;
    }
    const sum = Number(child.sum);
    const own = (sum * sum) / (this.weightOf(child.packed) + this.l2);
    const kept = slot >= 2 ? slot : -1;
    if (best < 0 || !(score - own > LEAST_GAIN * own)) return { ...child, slot: kept, gain: 0, split: undefined };
    const at = this.resultOf(place, best);
    const split = {
      feature: best,
      leftSum: this.words[at / 8 + 1] ?? 0n,
      leftPacked: this.words[at / 8 + 2] ?? 0n,
      cut: this.halves[at / 4 + 6] ?? 0,
      missingLeft: this.halves[at / 4 + 7] === 1,
    };
    return { ...child, slot: kept, gain: score - own, split };
  }

  /** The features to try at a node, ascending; every thread draws the same. */
  private draw(): number[] {
    const { order, random } = this;
    for (let i = 0; i < order.length; i++) order[i] = i;
    if (this.tried >= order.length) return [...order];
    for (let i = 0; i < this.tried; i++) {
      const other = i + random.below(order.length - i);
      const drawn = order[other] ?? 0;
      order[other] = order[i] ?? 0;
      order[i] = drawn;
    }
    return [...order.subarray(0, this.tried).sort()];
  }

  private splittable(child: Child): boolean {
    const { maxDepth, minSamplesLeaf } = this.job.options;
    return child.depth < maxDepth && this.countOf(child.packed) >= 2 * minSamplesLeaf;
  }

  private leafOf({ node, from, to, sum, packed }: OpenNode): Leaf {
    return { node, from, to, sum: Number(sum), weight: this.weightOf(packed) };
  }

  private countOf(packed: bigint): number {
    return Number(packed & this.countMask);
  }

  private weightOf(packed: bigint): number {
    return Number(packed >> BigInt(this.job.weighting.countBits));
  }

  private slotAt(slot: number): number {
    return this.job.layout.slots + slot * this.job.layout.histogramBytes;
  }

  private totalOf(node: number): number {
    return this.job.layout.nodes + this.thread * this.job.layout.nodeBytes + node * BIN_BYTES;
  }

  private resultOf(place: number, feature: number): number {
    return this.job.layout.results + (place * this.job.layout.bins.length + feature) * RESULT_BYTES;
  }
}

/** The features whose histograms a thread adds up and searches: by turns the widest goes to whoever has the fewest bins. */
function featuresOf(thread: number, threads: number, bins: readonly number[]): number[] {
  const load = new Array<number>(threads).fill(0);
  const own: number[] = [];
  const widestFirst = bins.map((_, feature) => feature).sort((a, b) => (bins[b] ?? 0) - (bins[a] ?? 0) || a - b);
  for (const feature of widestFirst) {
    const taker = load.indexOf(Math.min(...load));
    load[taker] = (load[taker] ?? 0) + (bins[feature] ?? 0) + 1;
    if (taker === thread) own.push(feature);
  }
  return own;
}
