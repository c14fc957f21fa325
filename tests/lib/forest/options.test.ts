import { type ForestOptions, type TrainingData, trainForest } from '../../../lib/forest/index.ts';
import { triedFeatures } from '../../../lib/forest/options.ts';
import { randomStream } from '../../../lib/forest/random.ts';
import { categorical, exampleData, numeric } from './example.ts';

describe('weights', () => {
  const rows = 200;
  const data = exampleData(rows);
  const grow = (given: TrainingData, options: ForestOptions = {}) =>
    trainForest(given, { nEstimators: 5, bootstrap: false, maxFeatures: 1, maxDepth: 5, ...options });

  it('of 2 grow what rows that stand there twice grow', async () => {
    const weights = Float64Array.from({ length: rows }, (_, row) => 1 + (row % 2));
    const twice = Uint32Array.from([...weights].flatMap((weight, row) => (weight === 2 ? [row, row] : [row])));
    const [byWeight, byRows] = await Promise.all([grow({ ...data, weights }), grow({ ...data, rows: twice })]);
    const [ours, theirs] = [byWeight.predict(data.columns), byRows.predict(data.columns)];
    for (let row = 0; row < rows; row++) expect(ours[row]).toBeCloseTo(theirs[row] ?? Number.NaN, 3);
  });

  it('of 0 leave rows out, whatever stands in them, and the unit of weights means nothing', async () => {
    const weights = Float64Array.from({ length: rows }, (_, row) => (row < 50 ? 0 : 1 + (row % 3)));
    const target = data.target.map((value, row) => (row < 50 ? 1e9 : value));
    const kept = Uint32Array.from({ length: rows - 50 }, (_, row) => row + 50);
    const options = { bootstrap: true, minSamplesLeaf: 3 };
    const one = await grow({ ...data, target, weights }, options);
    const other = await grow({ ...data, rows: kept, weights: weights.map((weight) => weight * 1024) }, options);
    expect(one.trees).toEqual(other.trees);
  });

  it.each([[[5e-324, 5e-324, 5e-324]], [[1e100, 1e100, 1e100]], [[1e100, 5e-324, 5e-324]]])(
    'may be as small or large as numbers are: %j',
    async (given) => {
      const columns = [numeric('x', [5, 6, 7])];
      const weighed = { columns, target: Float64Array.of(5, 6, 7), weights: Float64Array.from(given) };
      const predicted = (await grow(weighed, { bootstrap: true, nEstimators: 50 })).predict(columns);
      expect(predicted.every((value) => value >= 5 && value <= 7)).toBe(true);
    },
  );

  it('do not count as rows of a leaf', async () => {
    const weights = new Float64Array(rows).fill(1000);
    const { trees } = await grow({ ...data, weights }, { minSamplesLeaf: 101 });
    expect(trees.map(({ left }) => left.length)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('the options of a forest', () => {
  it('take as many features as scikit-learn does', () => {
    const tried = (count: number): number[] => [
      triedFeatures('sqrt', count),
      triedFeatures('log2', count),
      triedFeatures(1 / 3, count),
    ];
    expect([1, 9, 10, 100].map(tried)).toEqual([
      [1, 1, 1],
      [3, 3, 3],
      [3, 3, 3],
      [10, 6, 33],
    ]);
  });

  it('draw a share of the rows', async () => {
    const data = { columns: [numeric('x', [...Array(1000).keys()])], target: Float64Array.from(Array(1000).keys()) };
    const { trees } = await trainForest(data, { maxSamples: 0.01, nEstimators: 20 });
    for (const { left } of trees) expect(left.length).toBeLessThanOrEqual(2 * 10 - 1);
    expect(Math.max(...trees.map(({ left }) => left.length))).toBeGreaterThan(9);
  });

  it.each<[string, ForestOptions]>([
    ['maxSamples', { maxSamples: 0 }],
    ['maxSamples', { maxSamples: 0.5, bootstrap: false }],
    ['oobScore', { oobScore: true, bootstrap: false }],
    ['quantile', { criterion: 'quantile' }],
    ['quantile', { criterion: 'quantile', quantile: 1 }],
    ['quantile', { quantile: 0.5 }],
    ['criterion', JSON.parse('{"criterion":"poisson"}')],
    ['maxFeatures', JSON.parse('{"maxFeatures":"all"}')],
    ['oobScore', JSON.parse('{"oobScore":1}')],
  ])('are refused where they make no sense: %s in %j', async (name, options) => {
    await expect(trainForest(exampleData(10), options)).rejects.toMatchObject({
      code: 'FOREST_INVALID_OPTION',
      message: expect.stringContaining(name),
    });
  });
});

describe('a forest of quantiles', () => {
  const rows = 4000;
  const random = randomStream(8, 0);
  const x = Float64Array.from({ length: rows }, () => random.below(1000) / 1000);
  // Skewed: the mean lies well above the median.
  const target = x.map((value) => 10 * value - (1 + 4 * value) * Math.log(1 - random.next() / 2 ** 32));
  const data = { columns: [numeric('x', x)], target };

  it.each([0.1, 0.5, 0.9])('has about the share %d of the rows below it', async (quantile) => {
    const model = await trainForest(data, { criterion: 'quantile', quantile, nEstimators: 20, minSamplesLeaf: 50 });
    const predicted = model.predict(data.columns);
    for (const upper of [false, true]) {
      const within = [...x.keys()].filter((row) => (x[row] ?? 0) >= 0.5 === upper);
      const below = within.filter((row) => (target[row] ?? 0) < (predicted[row] ?? 0)).length / within.length;
      expect(Math.abs(below - quantile)).toBeLessThan(0.04);
    }
  });

  it('is nearer than means are to what half of the rows lie below, and absolute_error asks for it', async () => {
    const options = { nEstimators: 20, minSamplesLeaf: 50 };
    const median = await trainForest(data, { ...options, criterion: 'absolute_error' });
    const mean = await trainForest(data, options);
    const error = (model: typeof mean): number =>
      model.predict(data.columns).reduce((sum, value, row) => sum + Math.abs(value - (target[row] ?? 0)), 0) / rows;
    expect(error(median)).toBeLessThan(error(mean));
  });

  it('meets a constant target exactly', async () => {
    const model = await trainForest(
      { ...data, target: new Float64Array(rows).fill(0.3) },
      { criterion: 'absolute_error' },
    );
    expect(new Set(model.predict(data.columns))).toEqual(new Set([Math.fround(0.3)]));
    expect(model.nodes).toBe(100);
  });
});

describe('more categories than bins', () => {
  it('are grouped by their mean target', async () => {
    const random = randomStream(2, 0);
    const count = 5000;
    const codes = Int32Array.from({ length: 40_000 }, () => random.below(count));
    const target = Float64Array.from(codes, (code) => ((code * 7919) % count) + 50 * (random.next() / 2 ** 32));
    const data = { columns: [categorical('shop', codes, count)], target };
    const model = await trainForest(data, { nEstimators: 10, oobScore: true });
    // Each category has 8 rows or so, whose order is found; a bin's 20 categories differ by a 255th of the range.
    expect(model.outOfBag?.metrics.r2).toBeGreaterThan(0.99);
    expect(model.trees[0]?.left.length).toBeLessThanOrEqual(2 * 255 - 1);
  });
});

describe('a column without any value', () => {
  it('is never split', async () => {
    const data = exampleData(300);
    const nothing = numeric('nothing', new Float64Array(300).fill(Number.NaN));
    const model = await trainForest({ ...data, columns: [...data.columns, nothing] }, { nEstimators: 10 });
    expect(model.importances[5]).toEqual({ name: 'nothing', importance: 0 });
    const alone = await trainForest({ columns: [nothing], target: data.target }, { nEstimators: 3 });
    expect(alone.nodes).toBe(3);
  });
});
