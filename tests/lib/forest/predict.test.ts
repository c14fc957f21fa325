import { encodeColumns, trainForest } from '../../../lib/forest/index.ts';
import { compilePredictor } from '../../../lib/forest/predict.ts';
import { randomStream } from '../../../lib/forest/random.ts';
import type { Tree } from '../../../lib/forest/tree.ts';
import { exampleData } from './example.ts';

/** The mean of the trees' leaves, reached by walking down as the words of {@link Tree} say. */
function walk(trees: readonly Tree[], row: Float32Array): number {
  let sum = 0;
  for (const tree of trees) {
    let node = 0;
    while (tree.left[node] !== 0) {
      const value = row[tree.feature[node] ?? 0] ?? Number.NaN;
      const left = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] ?? 0);
      node = (tree.left[node] ?? 0) + (left ? 0 : 1);
    }
    sum += tree.value[node] ?? 0;
  }
  return sum / trees.length;
}

describe('a prediction', () => {
  it.each([{ maxDepth: 1 }, { maxDepth: 7 }, { nEstimators: 3 }])(
    'is the mean of the leaves reached (%j)',
    async (options) => {
      const data = exampleData(5003);
      const forest = await trainForest(data, { nEstimators: 11, ...options });
      const { rows, matrix } = encodeColumns(forest.features, data.columns);
      const width = forest.features.length;
      const predicted = forest.predictMatrix(matrix);
      expect(predicted).toHaveLength(rows);
      for (let row = 0; row < rows; row++) {
        expect(predicted[row]).toBe(walk(forest.trees, matrix.subarray(row * width, (row + 1) * width)));
      }
    },
  );

  it('follows values at thresholds, just above them, infinite and missing ones', async () => {
    const forest = await trainForest(exampleData(400), { nEstimators: 20 });
    const random = randomStream(2, 2);
    const thresholds = forest.trees.flatMap((tree) => [...tree.threshold]);
    const odd = [Number.NaN, Infinity, -Infinity, 0, -0, 3.4028234663852886e38];
    const pick = (): number => {
      const value = thresholds[random.below(thresholds.length)] ?? 0;
      const drawn = random.below(4);
      if (drawn === 0) return odd[random.below(odd.length)] ?? 0;
      return drawn === 1 ? value * (1 + 2 ** -22) : value;
    };
    for (let round = 0; round < 3000; round++) {
      const row = Float32Array.from(forest.features, pick);
      expect(forest.predictMatrix(row)[0]).toBe(walk(forest.trees, row));
    }
  });

  it('is refused where a feature has more thresholds than there are ranks', () => {
    const splits = 70_000;
    // A chain: each left child is the next split, each right one a leaf.
    const size = splits * 2 + 1;
    const tree = {
      feature: new Int32Array(size),
      threshold: Float32Array.from({ length: size }, (_, node) => node),
      left: new Int32Array(size),
      missingLeft: new Uint8Array(size),
      value: new Float32Array(size),
    };
    for (let split = 0; split < splits; split++) tree.left[split === 0 ? 0 : split * 2 - 1] = split * 2 + 1;
    expect(() => compilePredictor({ algorithm: 'forest', features: ['x'], trees: [tree], base: 0 })).toThrow(
      expect.objectContaining({ code: 'FOREST_MODEL_TOO_LARGE' }),
    );
  });
});
