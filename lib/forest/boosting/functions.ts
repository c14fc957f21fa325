/** What kernel/assembly/boosting.ts exports; addresses and sizes are in bytes, and described there. */
export interface BoostingFunctions {
  boostingRows(index: number, rows: number, blockRows: number, thread: number, threads: number): number;
  boostingBin(values: number, rows: number, edges: number, count: number, bins: number, stride: number): void;
  boostingGradients(
    index: number,
    count: number,
    residuals: number,
    weights: number,
    weightUnit: number,
    countBits: number,
    scale: number,
    gradients: number,
    total: number,
  ): void;
  boostingHistogram(
    index: number,
    from: number,
    to: number,
    bins: number,
    stride: number,
    gradients: number,
    weights: number,
    countBits: number,
    offsets: number,
    features: number,
    histogram: number,
    bytes: number,
  ): void;
  boostingMerge(into: number, histograms: number, apart: number, threads: number, bins: number): void;
  boostingSubtract(parent: number, child: number, bins: number): void;
  boostingSearch(
    histogram: number,
    bins: number,
    total: number,
    countBits: number,
    l2: number,
    minLeaf: number,
    out: number,
  ): void;
  boostingPartition(
    index: number,
    aside: number,
    from: number,
    to: number,
    bins: number,
    stride: number,
    cut: number,
    missing: number,
  ): number;
  boostingUpdate(
    index: number,
    from: number,
    to: number,
    residuals: number,
    weights: number,
    weightUnit: number,
    value: number,
  ): number;
  boostingMeet(words: number, threads: number, looks: number): void;
}
