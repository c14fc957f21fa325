import { binEdges, binSample } from './bin.ts';
import type { CategoricalColumn, ModelFeature, TrainingData } from './columns.ts';

/** What of the mean a row weighs at least: sums of squares still hold it, and no leaf weighs nothing. */
const LEAST_WEIGHT = 1e-150;

/** What the workers share: the training rows as 32-bit columns, and the centred target. All arrays lie in shared memory. */
export interface Problem {
  readonly rows: number;
  /** One column a feature; categories as their place in the order of the mean target. NaN is missing. */
  readonly columns: readonly Float32Array[];
  readonly edges: readonly Float32Array[];
  /** The target less `mean`, which keeps the sums in the histograms small and exact. */
  readonly target: Float64Array;
  readonly mean: number;
  /** What each row weighs, 1 on average; undefined where all weigh the same. */
  readonly weights?: Float64Array;
  /** By tree and row, a bit each: which rows a tree drew. Filled by the workers, where trees are to be scored by the others. */
  readonly drawn?: Uint8Array;
}

/** Lays checked training data, whose rows all weigh something, out for the workers: 4 bytes for each value and 8 for each row (16 with weights). */
export function layOut(data: TrainingData, rows: number, seed: number): { problem: Problem; features: ModelFeature[] } {
  const row = data.rows;
  const weights = meanOne(data, rows);
  const mean = meanTarget(data, rows, weights);
  const target = new Float64Array(new SharedArrayBuffer(rows * 8));
  for (let i = 0; i < rows; i++) target[i] = (data.target[row === undefined ? i : (row[i] ?? 0)] ?? 0) - mean;
  const features: ModelFeature[] = [];
  const columns = data.columns.map((column) => {
    const values = new Float32Array(new SharedArrayBuffer(rows * 4));
    if (column.kind === 'numeric') {
      for (let i = 0; i < rows; i++) values[i] = column.values[row === undefined ? i : (row[i] ?? 0)] ?? NaN;
      features.push({ name: column.name, kind: 'numeric' });
      return values;
    }
    const order = orderByMean(column, target, row, weights);
    const place = new Float32Array(column.categories.length);
    order.forEach((code, index) => {
      place[code] = index;
    });
    for (let i = 0; i < rows; i++) values[i] = place[column.codes[row === undefined ? i : (row[i] ?? 0)] ?? -1] ?? NaN;
    features.push({
      name: column.name,
      kind: 'categorical',
      categories: order.map((code) => column.categories[code] ?? ''),
    });
    return values;
  });
  const sample = binSample(rows, seed);
  const edges = columns.map((values) => binEdges(values, sample));
  return { problem: { rows, columns, edges, target, mean, ...(weights && { weights }) }, features };
}

/** The rows that weigh something, and where they stand among the given ones; undefined where rows have no weights. */
export function rowsWithWeight({
  rows,
  weights,
}: TrainingData): { readonly rows: Uint32Array; readonly places: Uint32Array } | undefined {
  if (weights === undefined) return undefined;
  const rowAt = (place: number): number => (rows === undefined ? place : (rows[place] ?? 0));
  const places = Uint32Array.from({ length: rows?.length ?? weights.length }, (_, place) => place).filter(
    (place) => (weights[rowAt(place)] ?? 0) > 0,
  );
  return { rows: places.map(rowAt), places };
}

/** The rows' weights as shares of their mean, so that their sums have the same room whatever their unit. */
function meanOne({ weights, rows: row }: TrainingData, rows: number): Float64Array | undefined {
  if (weights === undefined) return undefined;
  const own = new Float64Array(new SharedArrayBuffer(rows * 8));
  let greatest = 0;
  for (let i = 0; i < rows; i++) {
    own[i] = weights[row === undefined ? i : (row[i] ?? 0)] ?? 0;
    greatest = Math.max(greatest, own[i] ?? 0);
  }
  // By the greatest first, of which the mean is no less than a share that numbers can hold.
  let mean = 0;
  for (let i = 0; i < rows; i++) mean += (own[i] ?? 0) / greatest / rows;
  for (let i = 0; i < rows; i++) own[i] = Math.max(LEAST_WEIGHT, (own[i] ?? 0) / greatest / mean);
  return own;
}

function meanTarget(data: TrainingData, rows: number, weights: Float64Array | undefined): number {
  const at = (i: number): number => data.target[data.rows === undefined ? i : (data.rows[i] ?? 0)] ?? 0;
  // Around the first value, so that a constant target is met exactly and large offsets cost no digits.
  const origin = at(0);
  let mean = 0;
  for (let i = 0; i < rows; i++) mean += ((at(i) - origin) * (weights?.[i] ?? 1)) / rows;
  return origin + mean;
}

/**
 * The codes that occur in the training rows, by ascending mean target: for squared error the best split of one
 * feature into two sets of categories is a threshold in that order (Fisher 1958). The mean of few rows is drawn
 * towards the overall mean (0, the target being centred), as if one more row stood there. Categories that do not
 * occur are unknown to the model.
 */
function orderByMean(
  column: CategoricalColumn,
  target: Float64Array,
  row: TrainingData['rows'],
  weights: Float64Array | undefined,
): number[] {
  const sums = new Float64Array(column.categories.length);
  const counts = new Float64Array(column.categories.length);
  for (let i = 0; i < target.length; i++) {
    const code = column.codes[row === undefined ? i : (row[i] ?? 0)] ?? -1;
    if (code < 0) continue;
    const weight = weights?.[i] ?? 1;
    sums[code] = (sums[code] ?? 0) + (target[i] ?? 0) * weight;
    counts[code] = (counts[code] ?? 0) + weight;
  }
  const score = (code: number): number => (sums[code] ?? 0) / ((counts[code] ?? 0) + 1);
  return column.categories
    .map((_, code) => code)
    .filter((code) => (counts[code] ?? 0) > 0)
    .sort((a, b) => score(a) - score(b) || a - b);
}
