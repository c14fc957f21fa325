import { randomStream, sampleIndices } from './random.ts';

/** The bin of a missing value; the others are 0 … 254. */
export const MISSING_BIN = 255;
/** The threshold of a split that sends every number left and only the missing values right: the greatest 32-bit float. */
export const ABOVE_ALL = 3.4028234663852886e38;

const MAX_BINS = 255;
const SAMPLE_ROWS = 100_000;
const SAMPLE_STREAM = -1;

/** The rows that the bins of all features are made from: a seeded sample of 100,000, or all where there are fewer. */
export function binSample(rows: number, seed: number): Uint32Array {
  return sampleIndices(rows, SAMPLE_ROWS, randomStream(seed, SAMPLE_STREAM));
}

/**
 * The upper edges of a feature's bins, ascending 32-bit floats: bin b holds the values x ≤ edges[b] that no lower bin
 * holds, and the last bin, which has no edge, all above. At most 254 edges. Up to 255 distinct values get a bin each,
 * with edges midway between neighbours; more are cut at quantiles. Only the rows of the sample are looked at.
 *
 * Edges become the thresholds of splits, and are 32-bit floats already here, so that a model file with 32-bit
 * thresholds decides every training row as the trees did.
 */
export function binEdges(values: Float32Array, sampleRows: Uint32Array): Float32Array {
  const distinct = distinctOf(values, sampleRows);
  if (distinct !== undefined) return midpoints(distinct);
  const sample = presentSorted(values, sampleRows);
  const edges = new Float32Array(MAX_BINS - 1);
  let count = 0;
  for (let cut = 1; cut < MAX_BINS; cut++) {
    const at = Math.floor((cut * sample.length) / MAX_BINS);
    const low = sample[at - 1] ?? 0;
    const edge = midpoint(low, sample[at] ?? low);
    if (count === 0 || edge > (edges[count - 1] ?? 0)) edges[count++] = edge;
  }
  // An edge at the greatest value would leave the last bin empty.
  const greatest = sample[sample.length - 1] ?? 0;
  while (count > 0 && (edges[count - 1] ?? 0) >= greatest) count--;
  return edges.slice(0, count);
}

/**
 * Writes the bins of rows `from` … `to` − 1 into the row-major matrix `bins` (one byte a feature), whose rows lie
 * together so that a tree finds all of a row's features in one or two cache lines.
 */
export function binRows(
  columns: readonly Float32Array[],
  edges: readonly Float32Array[],
  bins: Uint8Array,
  from: number,
  to: number,
): void {
  const stride = columns.length;
  for (let feature = 0; feature < stride; feature++) {
    const values = columns[feature];
    const upper = edges[feature];
    if (values === undefined || upper === undefined) continue;
    for (let row = from; row < to; row++) bins[row * stride + feature] = binOf(values[row] ?? NaN, upper);
  }
}

function binOf(value: number, edges: Float32Array): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= (edges[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function presentSorted(values: Float32Array, rows: Uint32Array): Float32Array {
  const sample = new Float32Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = values[rows[i] ?? 0] ?? NaN;
    if (!Number.isNaN(value)) sample[count++] = value;
  }
  return sample.subarray(0, count).sort();
}

/** The distinct values of the sample's rows, ascending, without sorting them all; undefined where there are more than bins. */
function distinctOf(values: Float32Array, rows: Uint32Array): Float32Array | undefined {
  const distinct = new Float32Array(MAX_BINS);
  // A hash table: its places hold 1 + where in `distinct` their value is.
  const places = new Uint16Array(1024);
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = values[rows[i] ?? 0] ?? NaN;
    if (Number.isNaN(value)) continue;
    // Adding 0 makes −0, which equals 0, the same bits.
    float[0] = value + 0;
    let place = Math.imul(bits[0] ?? 0, 0x9e3779b1) >>> 22;
    for (let held = places[place] ?? 0; held !== 0 && distinct[held - 1] !== value; held = places[place] ?? 0)
      place = (place + 1) & 1023;
    if (places[place] !== 0) continue;
    if (count === MAX_BINS) return undefined;
    distinct[count++] = value;
    places[place] = count;
  }
  return distinct.slice(0, count).sort();
}

function midpoints(distinct: Float32Array): Float32Array {
  const edges = new Float32Array(Math.max(0, distinct.length - 1));
  for (let i = 0; i < edges.length; i++) edges[i] = midpoint(distinct[i] ?? 0, distinct[i + 1] ?? 0);
  return edges;
}

/** A 32-bit float t with low ≤ t < high, midway where one lies there. */
function midpoint(low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2);
  return middle < high && middle >= low ? middle : low;
}
