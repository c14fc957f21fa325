// The same seed gives the same file, however many threads grow the trees: of each kind, on data of several shapes.

import { createHash } from 'node:crypto';
import { type TrainingData, toOnnx, trainBoosting, trainForest } from '../../lib/forest/index.ts';
import { categorical, exampleData, numeric } from '../lib/forest/example.ts';

const THREADS = [1, 2, 3, 8];

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Data whose sums depend on their order: values of very different sizes, and weights. */
function uneven(rows: number): TrainingData {
  const scale = (row: number): number => 10 ** ((row * 7) % 13);
  return {
    columns: [
      numeric(
        'x',
        Float64Array.from({ length: rows }, (_, row) => Math.sin(row) * scale(row)),
      ),
      categorical(
        'k',
        Int32Array.from({ length: rows }, (_, row) => (row * 31) % 700),
        700,
      ),
    ],
    target: Float64Array.from({ length: rows }, (_, row) => Math.cos(row) * scale(row)),
    weights: Float64Array.from({ length: rows }, (_, row) => (row % 5) / 3),
  };
}

const SHAPES: readonly (readonly [string, TrainingData])[] = [
  ['40,000 rows with missing values and categories', exampleData(40_000)],
  ['3,000 rows of values of all sizes, with weights', uneven(3000)],
  ['7 rows', exampleData(7)],
];

describe.each(SHAPES)('a model of %s', (_, data) => {
  it.each([
    ['a forest', (nJobs: number, randomState: number) => trainForest(data, { nEstimators: 9, nJobs, randomState })],
    [
      'a forest of medians, with its out-of-bag error',
      (nJobs: number, randomState: number) =>
        trainForest(data, {
          nEstimators: 9,
          maxDepth: 8,
          criterion: 'absolute_error',
          oobScore: true,
          nJobs,
          randomState,
        }),
    ],
    [
      'boosted trees',
      (nJobs: number, randomState: number) =>
        trainBoosting(data, { nEstimators: 9, maxFeatures: 0.5, minSamplesLeaf: 2, nJobs, randomState }),
    ],
  ])('is the same file for 1, 2, 3 and 8 threads: %s', async (_kind, train) => {
    const files = [];
    for (const nJobs of THREADS) files.push(sha256(toOnnx(await train(nJobs, 5))));
    expect(new Set(files).size).toBe(1);
    expect(sha256(toOnnx(await train(2, 6)))).not.toBe(files[0]);
  });
});
