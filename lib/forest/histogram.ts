/** How many places a feature's histogram takes: one a bin, the missing one included. */
export const HISTOGRAM_STRIDE = 256;

/** The drawn rows of a tree, in the order of its nodes: the rows of one node lie together. */
export interface DrawnRows {
  /** Which training row. */
  readonly index: Uint32Array;
  /** How often it was drawn. */
  readonly weight: Uint8Array;
  /** Its centred target times its weight. */
  readonly sum: Float64Array;
}

/**
 * Adds the rows `from` … `to` − 1 to the histograms of one, two or three features at once, which lie one after the
 * other in `sums` and `weights`. Several features a pass share the loads of the row, and the sums of one feature need
 * not wait for those of another: with few bins, each addition waits for the one before it in the same bin.
 */
export function accumulate(
  rows: DrawnRows,
  from: number,
  to: number,
  bins: Uint8Array,
  stride: number,
  features: Int32Array,
  first: number,
  count: number,
  sums: Float64Array,
  weights: Int32Array,
): void {
  const a = features[first] ?? 0;
  const b = features[first + 1] ?? 0;
  const c = features[first + 2] ?? 0;
  if (count === 1) one(rows, from, to, bins, stride, a, sums, weights);
  else if (count === 2) two(rows, from, to, bins, stride, a, b, sums, weights);
  else three(rows, from, to, bins, stride, a, b, c, sums, weights);
}

function one(
  rows: DrawnRows,
  from: number,
  to: number,
  bins: Uint8Array,
  stride: number,
  a: number,
  sums: Float64Array,
  weights: Int32Array,
): void {
  const { index, weight, sum } = rows;
  for (let i = from; i < to; i++) {
    const at = bins[(index[i] ?? 0) * stride + a] ?? 0;
    sums[at] = (sums[at] ?? 0) + (sum[i] ?? 0);
    weights[at] = (weights[at] ?? 0) + (weight[i] ?? 0);
  }
}

function two(
  rows: DrawnRows,
  from: number,
  to: number,
  bins: Uint8Array,
  stride: number,
  a: number,
  b: number,
  sums: Float64Array,
  weights: Int32Array,
): void {
  const { index, weight, sum } = rows;
  for (let i = from; i < to; i++) {
    const row = (index[i] ?? 0) * stride;
    const s = sum[i] ?? 0;
    const w = weight[i] ?? 0;
    const atA = bins[row + a] ?? 0;
    const atB = HISTOGRAM_STRIDE + (bins[row + b] ?? 0);
    sums[atA] = (sums[atA] ?? 0) + s;
    sums[atB] = (sums[atB] ?? 0) + s;
    weights[atA] = (weights[atA] ?? 0) + w;
    weights[atB] = (weights[atB] ?? 0) + w;
  }
}

function three(
  rows: DrawnRows,
  from: number,
  to: number,
  bins: Uint8Array,
  stride: number,
  a: number,
  b: number,
  c: number,
  sums: Float64Array,
  weights: Int32Array,
): void {
  const { index, weight, sum } = rows;
  for (let i = from; i < to; i++) {
    const row = (index[i] ?? 0) * stride;
    const s = sum[i] ?? 0;
    const w = weight[i] ?? 0;
    const atA = bins[row + a] ?? 0;
    const atB = HISTOGRAM_STRIDE + (bins[row + b] ?? 0);
    const atC = 2 * HISTOGRAM_STRIDE + (bins[row + c] ?? 0);
    sums[atA] = (sums[atA] ?? 0) + s;
    sums[atB] = (sums[atB] ?? 0) + s;
    sums[atC] = (sums[atC] ?? 0) + s;
    weights[atA] = (weights[atA] ?? 0) + w;
    weights[atB] = (weights[atB] ?? 0) + w;
    weights[atC] = (weights[atC] ?? 0) + w;
  }
}
