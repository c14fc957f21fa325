import {
  crossValidate,
  encodeColumns,
  errorBySegment,
  foldRows,
  permutationImportance,
  trainForest,
} from '../../../../lib/forest/index.ts';
import { categorical, exampleData, numeric } from '../example.ts';

const INVALID_DATA = expect.objectContaining({ code: 'FOREST_INVALID_DATA' });
const INVALID_OPTION = expect.objectContaining({ code: 'FOREST_INVALID_OPTION' });

describe('errorBySegment', () => {
  const actual = Float64Array.of(1, 2, 3, 4, 5, 6);
  const predicted = Float64Array.of(2, 2, 3, 2, 5, 7);

  it('scores each category, the most rows first, and the missing ones last', () => {
    const segments = errorBySegment(categorical('c', [1, 0, 1, -1, 1, 0], 3), actual, predicted);
    expect(segments.map(({ rowsOf, rows, bias }) => ({ rowsOf, rows, bias }))).toEqual([
      { rowsOf: { kind: 'category', category: 'c 1' }, rows: 3, bias: 1 / 3 },
      { rowsOf: { kind: 'category', category: 'c 0' }, rows: 2, bias: 0.5 },
      { rowsOf: { kind: 'missing' }, rows: 1, bias: -2 },
    ]);
    expect(segments[2]?.metrics).toEqual({ r2: Number.NaN, mae: 2, rmse: 2 });
  });

  it('cuts numbers into ranges, equal ones together', () => {
    const column = numeric('x', [3, 1, 1, 1, Number.NaN, 9]);
    expect(errorBySegment(column, actual, predicted, { ranges: 2 }).map(({ rowsOf, rows }) => [rowsOf, rows])).toEqual([
      [{ kind: 'range', from: 1, to: 1 }, 3],
      [{ kind: 'range', from: 3, to: 9 }, 2],
      [{ kind: 'missing' }, 1],
    ]);
  });

  it('takes the rows that it is told', () => {
    const column = categorical('c', [0, 1, 1], 2);
    const [first] = errorBySegment(column, Float64Array.of(5), Float64Array.of(7), { rows: Uint32Array.of(2) });
    expect(first).toMatchObject({ rowsOf: { category: 'c 1' }, rows: 1, bias: 2 });
  });

  it('refuses what does not fit', () => {
    const column = numeric('x', [1, 2]);
    const two = Float64Array.of(1, 2);
    expect(() => errorBySegment(column, actual, predicted)).toThrow(INVALID_DATA);
    expect(() => errorBySegment(column, two, two, { rows: Uint32Array.of(0, 2) })).toThrow(INVALID_DATA);
    expect(() => errorBySegment(column, two, two, { ranges: 0 })).toThrow(INVALID_OPTION);
  });
});

describe('permutationImportance', () => {
  it('finds what the target hangs on, and gives next to nothing to noise', async () => {
    const forest = await trainForest(exampleData(3000), { nEstimators: 30 });
    const fresh = exampleData(1500, 4);
    const { matrix } = encodeColumns(forest.features, fresh.columns);
    const before = matrix.slice();
    const importances = permutationImportance(forest, matrix, fresh.target, { repeats: 3 });
    expect(matrix).toEqual(before);
    const of = (name: string) => importances.find((one) => one.name === name)?.r2 ?? Number.NaN;
    expect(of('goods')).toBeGreaterThan(0.5);
    expect(of('goods')).toBeGreaterThan(of('income'));
    expect(of('income')).toBeGreaterThan(of('age'));
    expect(Math.abs(of('noise'))).toBeLessThan(0.01);
    for (const { r2, rmse, r2Deviation } of importances) {
      expect(r2 > 0 === rmse > 0).toBe(true);
      expect(r2Deviation).toBeGreaterThanOrEqual(0);
    }
    expect(permutationImportance(forest, matrix, fresh.target, { repeats: 3 })).toEqual(importances);
  });

  it('refuses no rows, targets of another length and no repeats', async () => {
    const forest = await trainForest(exampleData(50), { nEstimators: 1 });
    const { matrix } = encodeColumns(forest.features, exampleData(9).columns);
    expect(() => permutationImportance(forest, new Float32Array(), new Float64Array())).toThrow(INVALID_DATA);
    expect(() => permutationImportance(forest, matrix, new Float64Array(8))).toThrow(INVALID_DATA);
    expect(() => permutationImportance(forest, matrix, new Float64Array(9), { repeats: 0 })).toThrow(INVALID_OPTION);
  });
});

describe('crossValidate', () => {
  it('scores each fold by a model that did not see it', async () => {
    const data = exampleData(600);
    const seen: number[][] = [];
    const folds = foldRows(600, 3, 1);
    const result = await crossValidate(data, folds, (part) => {
      seen.push([...(part.rows ?? [])]);
      return trainForest(part, { nEstimators: 20 });
    });
    expect(seen).toEqual(folds.map(({ train }) => [...train]));
    expect(result.folds.map(({ trained, heldOut }) => [trained, heldOut])).toEqual([
      [400, 200],
      [400, 200],
      [400, 200],
    ]);
    const scores = result.folds.map(({ metrics }) => metrics.r2);
    const mean = scores.reduce((sum, score) => sum + score, 0) / 3;
    expect(result.mean.r2).toBeCloseTo(mean, 12);
    expect(result.standardDeviation.r2).toBeCloseTo(
      Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / 2),
      12,
    );
    expect(mean).toBeGreaterThan(0.6);
    expect(new Set(scores).size).toBe(3);
  });

  it('refuses data that name their own rows', async () => {
    const data = { ...exampleData(20), rows: Uint32Array.of(1, 2) };
    await expect(crossValidate(data, foldRows(20, 2, 0), trainForest)).rejects.toEqual(INVALID_DATA);
  });
});
