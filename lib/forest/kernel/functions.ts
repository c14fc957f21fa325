/** What kernel/assembly/leaves.ts exports. */
export interface LeafFunctions {
  scoreUndrawn(
    nodes: number,
    values: number,
    mean: number,
    bins: number,
    stride: number,
    drawn: number,
    from: number,
    to: number,
    rows: number,
    leaves: number,
    scores: number,
    totals: number,
  ): void;
}

/** What kernel/assembly/forest.ts exports; addresses are in bytes, and what lies there is described in that file. */
export interface ForestFunctions {
  forestSearch(
    index: number,
    sums: number,
    drawn: number,
    from: number,
    to: number,
    bins: number,
    stride: number,
    features: number,
    size: number,
    binCounts: number,
    scratch: number,
    totalSum: number,
    totalWeight: number,
    totalCount: number,
    minLeaf: number,
    best: number,
  ): number;
  forestPartition(
    index: number,
    sums: number,
    drawn: number,
    indexAside: number,
    sumsAside: number,
    drawnAside: number,
    from: number,
    to: number,
    bins: number,
    stride: number,
    cut: number,
    missing: number,
  ): number;
}
