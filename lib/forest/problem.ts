import { binEdges, binSample } from './bin.ts';
import type { CategoricalColumn, ModelFeature, TrainingData } from './columns.ts';

/** What the workers share: the training rows as 32-bit columns and as bins, and the centred target. All arrays lie in shared memory. */
export interface Problem {
  readonly rows: number;
  /** One column a feature; categories as their place in the order of the mean target. NaN is missing. */
  readonly columns: readonly Float32Array[];
  readonly edges: readonly Float32Array[];
  /** Row-major, one byte a feature; filled by the workers. */
  readonly bins: Uint8Array;
  /** The target less `mean`, which keeps the sums in the histograms small and exact. */
  readonly target: Float64Array;
  readonly mean: number;
}

/** Lays checked training data out for the workers: 5 bytes for each value and 8 for each row. */
export function layOut(data: TrainingData, rows: number, seed: number): { problem: Problem; features: ModelFeature[] } {
  const row = data.rows;
  const mean = meanTarget(data, rows);
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
    const order = orderByMean(column, target, row);
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
  const bins = new Uint8Array(new SharedArrayBuffer(rows * columns.length));
  return { problem: { rows, columns, edges, bins, target, mean }, features };
}

function meanTarget(data: TrainingData, rows: number): number {
  const at = (i: number): number => data.target[data.rows === undefined ? i : (data.rows[i] ?? 0)] ?? 0;
  // Around the first value, so that a constant target is met exactly and large offsets cost no digits.
  const origin = at(0);
  let mean = 0;
  for (let i = 0; i < rows; i++) mean += (at(i) - origin) / rows;
  return origin + mean;
}

/**
 * The codes that occur in the training rows, by ascending mean target: for squared error the best split of one
 * feature into two sets of categories is a threshold in that order (Fisher 1958). The mean of few rows is drawn
 * towards the overall mean (0, the target being centred), as if one more row stood there. Categories that do not
 * occur are unknown to the model.
 */
function orderByMean(column: CategoricalColumn, target: Float64Array, row: TrainingData['rows']): number[] {
  const sums = new Float64Array(column.categories.length);
  const counts = new Float64Array(column.categories.length);
  for (let i = 0; i < target.length; i++) {
    const code = column.codes[row === undefined ? i : (row[i] ?? 0)] ?? -1;
    if (code < 0) continue;
    sums[code] = (sums[code] ?? 0) + (target[i] ?? 0);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  const score = (code: number): number => (sums[code] ?? 0) / ((counts[code] ?? 0) + 1);
  return column.categories
    .map((_, code) => code)
    .filter((code) => (counts[code] ?? 0) > 0)
    .sort((a, b) => score(a) - score(b) || a - b);
}
