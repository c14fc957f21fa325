import { encodeColumns, type TrainingData, type Tree, trainForest } from '../../../lib/forest/index.ts';
import { randomStream } from '../../../lib/forest/random.ts';
import { categorical, numeric } from './example.ts';

/** Small random data, whose features have at most 40 distinct values each, missing ones among them. */
function smallData(seed: number, rows = 60): TrainingData {
  const random = randomStream(seed, 5);
  const draw = (bound: number): number[] => Array.from({ length: rows }, () => random.below(bound));
  const gaps = (values: number[]): number[] =>
    values.map((value) => (random.below(6) === 0 ? Number.NaN : value / 7 - 2));
  return {
    columns: [
      numeric('whole', draw(40)),
      numeric('gaps', gaps(draw(12))),
      numeric(
        'rare gap',
        draw(9).map((value, row) => (row === 3 ? Number.NaN : value)),
      ),
      categorical(
        'code',
        draw(5).map((code) => code - 1),
        4,
      ),
    ],
    target: Float64Array.from(draw(1000), (value) => value / 10),
  };
}

/** Σ (sum of targets)² / rows over both sides. */
function scoreOf(target: Float64Array, left: number[], right: number[]): number {
  const side = (rows: number[]): number => rows.reduce((sum, row) => sum + (target[row] ?? 0), 0) ** 2 / rows.length;
  return side(left) + side(right);
}

/** The best score of any cut of the rows by any feature, missing values on either side; undefined where none is allowed. */
function bestByTrying(matrix: Float32Array, width: number, target: Float64Array, rows: number[], minLeaf: number) {
  let best: number | undefined;
  for (let feature = 0; feature < width; feature++) {
    const inRow = (row: number): number => matrix[row * width + feature] ?? Number.NaN;
    const cuts = new Set([...rows.map(inRow).filter((value) => !Number.isNaN(value)), Infinity]);
    for (const cut of cuts) {
      for (const missingLeft of [false, true]) {
        const left = rows.filter((row) => (Number.isNaN(inRow(row)) ? missingLeft : inRow(row) <= cut));
        const right = rows.filter((row) => !left.includes(row));
        if (left.length < minLeaf || right.length < minLeaf) continue;
        best = Math.max(best ?? -Infinity, scoreOf(target, left, right));
      }
    }
  }
  return best;
}

/** Walks a tree with the rows it learnt from, and holds each node to the best that trying everything finds. */
function checkTree(tree: Tree, data: TrainingData, matrix: Float32Array, maxDepth: number, minLeaf: number): number {
  const { target, columns } = data;
  const width = columns.length;
  const check = (node: number, rows: number[], depth: number): number => {
    const left = tree.left[node] ?? 0;
    const targets = rows.map((row) => target[row] ?? 0);
    const best = bestByTrying(matrix, width, target, rows, minLeaf);
    if (left === 0) {
      expect(tree.value[node]).toBe(Math.fround(targets.reduce((a, b) => a + b, 0) / rows.length));
      const pure = new Set(targets).size === 1;
      expect(depth >= maxDepth || pure || best === undefined).toBe(true);
      return 1;
    }
    const goesLeft = (row: number): boolean => {
      const value = matrix[row * width + (tree.feature[node] ?? 0)] ?? Number.NaN;
      return Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] ?? 0);
    };
    const [a, b] = [rows.filter(goesLeft), rows.filter((row) => !goesLeft(row))];
    expect(scoreOf(target, a, b) / (best ?? Number.NaN)).toBeCloseTo(1, 9);
    return 1 + check(left, a, depth + 1) + check(left + 1, b, depth + 1);
  };
  return check(0, [...target.keys()], 0);
}

describe('the split of a node', () => {
  it.each([
    { randomState: 1, maxDepth: 1, minSamplesLeaf: 1 },
    { randomState: 2, maxDepth: 3, minSamplesLeaf: 1 },
    { randomState: 3, maxDepth: 20, minSamplesLeaf: 1 },
    { randomState: 4, maxDepth: 20, minSamplesLeaf: 5 },
    { randomState: 5, maxDepth: 4, minSamplesLeaf: 20 },
    // So many rows that a node's histograms are summed and searched in another way than those of few.
    { randomState: 6, maxDepth: 3, minSamplesLeaf: 10, rows: 500 },
  ])(
    'is the best that trying all of them finds ($randomState: depth $maxDepth, leaf $minSamplesLeaf)',
    async ({ rows = 60, ...options }) => {
      const data = smallData(options.randomState, rows);
      const forest = await trainForest(data, {
        ...options,
        nEstimators: 1,
        bootstrap: false,
        maxFeatures: 1,
        nJobs: 1,
      });
      const { matrix } = encodeColumns(forest.features, data.columns);
      const [tree] = forest.trees;
      if (tree === undefined) throw new Error('no tree');
      // The data are few, so targets are far apart and means, kept as 32-bit floats, are compared exactly.
      const visited = checkTree(tree, data, matrix, options.maxDepth, options.minSamplesLeaf);
      expect(visited).toBe(tree.left.length);
      expect(visited).toBeGreaterThan(1);
    },
  );

  it.each([4, 6])('leaves minSamplesLeaf rows on either side, where %i on one would be better', async (jump) => {
    const columns = [numeric('x', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])];
    const target = Float64Array.from({ length: 10 }, (_, row) => (row < jump ? 100 : 0));
    const options = { nEstimators: 1, maxDepth: 1, minSamplesLeaf: 5, bootstrap: false, nJobs: 1 };
    const predicted = [...(await trainForest({ columns, target }, options)).predict(columns)];
    expect(predicted).toEqual(
      [0, 0, 0, 0, 0, 5, 5, 5, 5, 5].map((row) => (jump === 4 ? 80 - row * 16 : 100 - row * 16)),
    );
  });

  it('parts categories as well as the best of all ways to part them', async () => {
    const random = randomStream(9, 1);
    const codes = Array.from({ length: 70 }, (_, row) => row % 7);
    const target = Float64Array.from(codes, (code) => ((code * 5) % 7) * 10 + random.below(30));
    const data = { columns: [categorical('code', codes, 7)], target };
    const forest = await trainForest(data, { nEstimators: 1, maxDepth: 1, bootstrap: false, maxFeatures: 1, nJobs: 1 });
    const predicted = forest.predict(data.columns);
    const found = target.reduce((sum, value, row) => sum + (value - (predicted[row] ?? 0)) ** 2, 0);
    let least = Infinity;
    for (let parts = 1; parts < 2 ** 6; parts++) {
      const sides: number[][] = [[], []];
      codes.forEach((code, row) => {
        sides[(parts >> code) & 1]?.push(target[row] ?? 0);
      });
      const errors = sides.map((side) => {
        const mean = side.reduce((a, b) => a + b, 0) / side.length;
        return side.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      });
      least = Math.min(
        least,
        errors.reduce((a, b) => a + b, 0),
      );
    }
    expect(found / least).toBeCloseTo(1, 6);
  });

  it('finds an exclusive or, which no single split helps', async () => {
    const columns = [numeric('a', [0, 0, 1, 1]), numeric('b', [0, 1, 0, 1])];
    const target = Float64Array.of(0, 1, 1, 0);
    const forest = await trainForest({ columns, target }, { nEstimators: 5, bootstrap: false, nJobs: 1 });
    expect([...forest.predict(columns)]).toEqual([0, 1, 1, 0]);
  });
});
