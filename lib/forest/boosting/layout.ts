import { KernelLayout } from '../kernel/kernel.ts';

/** Rows of a block; thread t owns the blocks t, t + threads, t + 2 · threads, … */
export const BLOCK_ROWS = 256;
/** Bytes of a block of one column, and of the edges of one feature. */
export const BLOCK_BYTES = BLOCK_ROWS * 4;
export const EDGES_BYTES = 1024;
/** Bytes of a bin: the sum of gradients, and the packed word of weights and count. */
export const BIN_BYTES = 16;
/** Bytes of what the kernel writes of a feature's best split. */
export const RESULT_BYTES = 32;
/** Bytes apart in which threads write, so that none slows another down. */
export const LINE_BYTES = 64;

const HISTOGRAMS_BYTES = 64 * 2 ** 20;

/** What lies where in the memory that the threads share: byte addresses. */
export interface BoostingLayout {
  readonly rows: number;
  readonly threads: number;
  /** How many bins each feature has beside the one of its missing values, which is the last. */
  readonly bins: readonly number[];
  /** Where a feature's histogram begins within a node's, in bins; the last entry is how many all have together. */
  readonly starts: readonly number[];
  /** A word each: how many threads have met, how often all did, and how many took a number. */
  readonly meeting: number;
  /** By feature, as the kernel wants `starts`: in bytes. */
  readonly offsets: number;
  /** A thread's greatest residual, and the sum and packed word of its rows: a line each. */
  readonly greatest: number;
  readonly totals: number;
  /** The sums of a tree's nodes, of one thread after the other, `nodeBytes` apart. */
  readonly nodes: number;
  readonly nodeBytes: number;
  /** The best splits of two nodes, a result each feature. */
  readonly results: number;
  /** The threads' own histograms, `histogramBytes` apart. */
  readonly partial: number;
  /** The nodes' histograms; the first two belong to none for long. */
  readonly slots: number;
  readonly slotCount: number;
  readonly histogramBytes: number;
  /** The upper edges of each feature's bins, `EDGES_BYTES` apart; and a thread's room for a block of a column, `BLOCK_BYTES` apart. */
  readonly edges: number;
  readonly values: number;
  /** A thread's list of its rows, and as much room beside it, `indexBytes` apart. */
  readonly index: number;
  readonly aside: number;
  readonly indexBytes: number;
  /** By row: its bins, one byte a feature; 8 bytes of residual; 4 of gradient; 4 of weight (0: rows weigh the same). */
  readonly rowBins: number;
  readonly residuals: number;
  readonly gradients: number;
  readonly weights: number;
}

/**
 * Lays a training out in a memory of its own: for each row a byte a feature and 20 more (24 with weights), and at most `room` (64 MiB) of histograms to keep
 * beside two a node and thread.
 * @throws LakeletError FOREST_TOO_LARGE where 4 GiB, which is what WebAssembly can address, are too few
 */
export function layOutBoosting(
  rows: number,
  bins: readonly number[],
  leaves: number,
  threads: number,
  weighted: boolean,
  room = HISTOGRAMS_BYTES,
): { layout: BoostingLayout; memory: WebAssembly.Memory } {
  const starts = [0];
  for (const count of bins) starts.push((starts[starts.length - 1] ?? 0) + count + 1);
  const histogramBytes = (starts[bins.length] ?? 0) * BIN_BYTES;
  const slotCount = 2 + Math.min(leaves, Math.max(2, Math.floor(room / histogramBytes)));
  const threadRows = Math.ceil(Math.ceil(rows / BLOCK_ROWS) / threads) * BLOCK_ROWS;
  const nodeBytes = lines(2 * leaves * BIN_BYTES);
  const indexBytes = lines(threadRows * 4);
  const addresses = new KernelLayout();
  const take = (bytes: number): number => addresses.take(bytes);
  const layout: BoostingLayout = {
    rows,
    threads,
    bins,
    starts,
    meeting: take(LINE_BYTES),
    offsets: take(bins.length * 4),
    greatest: take(threads * LINE_BYTES),
    totals: take(threads * LINE_BYTES),
    nodes: take(threads * nodeBytes),
    nodeBytes,
    results: take(2 * bins.length * RESULT_BYTES),
    partial: take(threads * histogramBytes),
    slots: take(slotCount * histogramBytes),
    slotCount,
    histogramBytes,
    edges: take(bins.length * EDGES_BYTES),
    values: take(threads * BLOCK_BYTES),
    index: take(threads * indexBytes),
    aside: take(threads * indexBytes),
    indexBytes,
    rowBins: take(rows * bins.length),
    residuals: take(rows * 8),
    gradients: take(rows * 4),
    weights: weighted ? take(rows * 4) : 0,
  };
  const memory = addresses.memory(
    `Boosting ${rows} rows of ${bins.length} features`,
    'train on a sample of the rows, or on fewer features',
  );
  const offsets = starts.slice(0, -1).map((start) => start * BIN_BYTES);
  new Uint32Array(memory.buffer, layout.offsets, bins.length).set(offsets);
  return { layout, memory };
}

function lines(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}
