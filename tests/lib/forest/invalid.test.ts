import { type FeatureColumn, type ForestOptions, trainForest } from '../../../lib/forest/index.ts';
import { categorical, exampleData, numeric } from './example.ts';

const x = numeric('x', [1, 2, 3]);
const target = Float64Array.of(1, 2, 3);

describe('trainForest refuses', () => {
  it.each<[string, FeatureColumn[], string]>([
    ['no features', [], 'no feature columns'],
    ['columns of different lengths', [x, numeric('y', [1])], 'Column "y" has 1 rows'],
    ['two columns of one name', [x, x], 'Two feature columns are named "x"'],
    ['a column without a name', [numeric('', [1, 2, 3])], 'has no name'],
    ['a code beyond the categories', [categorical('c', [0, 1, 2], 2)], 'has code 2 in row 2'],
    ['a code below -1', [categorical('c', [0, -2, 1], 2)], 'has code -2 in row 1'],
    ['infinite values', [numeric('y', [1, Infinity, 2])], 'holds Infinity in row 1'],
    ['values beyond 32 bits', [numeric('y', [1, 2, -1e39])], 'holds -1e+39 in row 2'],
    [
      'a category listed twice',
      [{ ...categorical('c', [0, 1, 1], 2), categories: ['a', 'a'] }],
      'lists a category twice',
    ],
    ['names with line breaks, shown escaped', [numeric('a\nb', [1]), x], 'a\\nb'],
  ])('%s', async (_, columns, message) => {
    const refused = trainForest({ columns, target });
    await expect(refused).rejects.toMatchObject({ code: 'FOREST_INVALID_DATA' });
    await expect(refused).rejects.toThrow(message);
  });

  it.each<[string, Partial<Parameters<typeof trainForest>[0]>, string]>([
    ['a target of another length', { target: Float64Array.of(1) }, 'The target has 1 rows'],
    ['a target that is not finite', { target: Float64Array.of(1, Number.NaN, 2) }, 'The target of row 1 is NaN'],
    ['no rows', { rows: new Uint32Array() }, 'no rows to learn from'],
    ['rows beyond the columns', { rows: Uint32Array.of(0, 3) }, 'Row index 3'],
    ['negative rows', { rows: Int32Array.of(-1) }, 'Row index -1'],
  ])('%s', async (_, part, message) => {
    const refused = trainForest({ columns: [x], target, ...part });
    await expect(refused).rejects.toMatchObject({ code: 'FOREST_INVALID_DATA' });
    await expect(refused).rejects.toThrow(message);
  });

  it.each<[ForestOptions, string]>([
    [{ nEstimators: 0 }, 'nEstimators is 0'],
    [{ nEstimators: 1.5 }, 'nEstimators is 1.5'],
    [{ maxDepth: 0 }, 'maxDepth is 0'],
    [{ minSamplesLeaf: -1 }, 'minSamplesLeaf is -1'],
    [{ maxFeatures: 0 }, 'maxFeatures is 0'],
    [{ maxFeatures: 1.1 }, 'maxFeatures is 1.1'],
    [{ maxFeatures: Number.NaN }, 'maxFeatures is NaN'],
    [{ randomState: 0.5 }, 'randomState is 0.5'],
    [{ nJobs: 0 }, 'nJobs is 0'],
    [JSON.parse('{"tree": 3}'), '"tree" is no option'],
    [JSON.parse('{"nEstimators": "3"}'), 'nEstimators is 3'],
    [JSON.parse('{"bootstrap": 1}'), 'bootstrap is 1'],
  ])('the option %j', async (options, message) => {
    const refused = trainForest({ columns: [x], target }, options);
    await expect(refused).rejects.toMatchObject({ code: 'FOREST_INVALID_OPTION' });
    await expect(refused).rejects.toThrow(message);
  });
});

describe('a forest refuses to predict', () => {
  it.each<[string, FeatureColumn[], Uint32Array | undefined, string]>([
    ['without a feature', [numeric('y', [1])], undefined, 'needs a column "x"'],
    [
      'a feature of the other kind',
      [categorical('x', [0], 1)],
      undefined,
      'is categorical, but the model knows it as numeric',
    ],
    ['rows beyond the columns', [x], Uint32Array.of(7), 'Row index 7'],
  ])('%s', async (_, columns, rows, message) => {
    const forest = await trainForest({ columns: [x], target }, { nEstimators: 1 });
    expect(() => forest.predict(columns, rows)).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_DATA' }));
    expect(() => forest.predict(columns, rows)).toThrow(message);
  });

  it('a matrix of another width', async () => {
    const forest = await trainForest(exampleData(50), { nEstimators: 1 });
    expect(() => forest.predictMatrix(new Float32Array(7))).toThrow(
      expect.objectContaining({ code: 'FOREST_INVALID_DATA' }),
    );
    expect(forest.predictMatrix(new Float32Array())).toHaveLength(0);
  });
});
