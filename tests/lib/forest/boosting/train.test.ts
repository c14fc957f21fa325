import {
  evaluate,
  fromOnnx,
  splitRows,
  type TreeEnsemble,
  takeRows,
  toOnnx,
  trainBoosting,
} from '../../../../lib/forest/index.ts';
import { randomStream } from '../../../../lib/forest/random.ts';
import { categorical, exampleData, numeric } from '../example.ts';
import { boostStumps } from './reference.ts';

function expectClose(found: Float64Array, wanted: Float64Array): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, row) => {
    expect(Math.abs(value - (wanted[row] ?? NaN))).toBeLessThan(1e-5 * Math.abs(wanted[row] ?? NaN) + 1e-5);
  });
}

/** Few rows with missing values in one of two columns, which stand for `missing` there. */
function fewRows(rows: number, seed: number, missing = 1) {
  const random = randomStream(seed, 0);
  const unit = (): number => random.next() / 2 ** 32;
  const a = Float64Array.from({ length: rows }, () => random.below(12));
  const b = Float64Array.from({ length: rows }, () => (unit() < 0.3 ? Number.NaN : Math.fround(unit())));
  const weights = Float64Array.from({ length: rows }, () => 1 + random.below(4));
  const target = Float64Array.from(
    a,
    (value, row) => 50 + 3 * value + 20 * (Number.isNaN(b[row]) ? missing : (b[row] ?? 0)),
  );
  return { columns: [numeric('a', a), numeric('b', b)], values: [a, b], target, weights };
}

const leavesOf = (model: TreeEnsemble): number[] =>
  model.trees.map(({ left }) => left.filter((child) => child === 0).length);

describe('boosted trees', () => {
  it('split where trying every threshold finds the best split, missing values on either side', async () => {
    const { columns, values, target } = fewRows(60, 4);
    const options = { nEstimators: 25, learningRate: 0.3, maxLeafNodes: 2, minSamplesLeaf: 5, l2Regularization: 1.5 };
    const model = await trainBoosting({ columns, target }, options);
    const wanted = boostStumps(values, target, new Float64Array(60).fill(1), {
      rounds: 25,
      rate: 0.3,
      l2: 1.5,
      minLeaf: 5,
    });
    expectClose(model.predict(columns), wanted);
  });

  it('count rows by their weight, and leaves by their rows', async () => {
    const { columns, values, target, weights } = fewRows(60, 9, 0.1);
    const options = { nEstimators: 25, learningRate: 0.3, maxLeafNodes: 2, minSamplesLeaf: 8, l2Regularization: 2 };
    const model = await trainBoosting({ columns, target, weights }, options);
    expectClose(
      model.predict(columns),
      boostStumps(values, target, weights, { rounds: 25, rate: 0.3, l2: 2, minLeaf: 8 }),
    );
  });

  it('learn from a row of weight 3 as from the row three times, and nothing from one of weight 0', async () => {
    const { columns, target } = fewRows(80, 2);
    const weights = Float64Array.from(target, (_, row) => row % 4);
    const rows = Uint32Array.from(Array.from(target, (_, row) => new Array<number>(row % 4).fill(row)).flat());
    const options = { nEstimators: 20, minSamplesLeaf: 1, maxLeafNodes: 6 };
    const byWeight = await trainBoosting({ columns, target, weights }, options);
    const repeated = await trainBoosting({ columns, target, rows }, options);
    expectClose(byWeight.predict(columns), repeated.predict(columns));
  });

  it('are the same to the bit whatever the number of workers, and other ones by another seed', async () => {
    const data = { ...exampleData(9000), weights: Float64Array.from({ length: 9000 }, (_, row) => (row % 7) + 0.5) };
    const options = { nEstimators: 12, maxFeatures: 0.5, earlyStopping: true, randomState: 5 };
    const [one, two, four] = await Promise.all([1, 2, 4].map((nJobs) => trainBoosting(data, { ...options, nJobs })));
    expect(two).toEqual(one);
    expect(four).toEqual(one);
    const other = await trainBoosting(data, { ...options, randomState: 6 });
    expect(other.trees).not.toEqual(one?.trees);
  });

  it('come close to the target on rows that they did not learn from, and tell what they learnt from', async () => {
    const data = exampleData(6000);
    const { train, heldOut } = splitRows(6000, 0.25, 1);
    const model = await trainBoosting({ ...data, rows: train });
    expect(model.algorithm).toBe('boosting');
    expect(evaluate(takeRows(data.target, heldOut), model.predict(data.columns, heldOut)).r2).toBeGreaterThan(0.97);
    const importances = Object.fromEntries(model.importances.map(({ name, importance }) => [name, importance]));
    expect(importances.income).toBeGreaterThan(0.1);
    expect(importances.noise).toBeLessThan(0.01);
    expect(model.importances.reduce((sum, { importance }) => sum + importance, 0)).toBeCloseTo(1, 12);
  });

  it('keep to the greatest number of leaves, splits and rows', async () => {
    const data = exampleData(2000);
    const rows = (model: TreeEnsemble): number[] => leavesOf(model);
    expect(Math.max(...rows(await trainBoosting(data, { nEstimators: 3, maxLeafNodes: 7 })))).toBe(7);
    expect(Math.max(...rows(await trainBoosting(data, { nEstimators: 3, maxDepth: 2 })))).toBe(4);
    expect(Math.max(...rows(await trainBoosting(data, { nEstimators: 3, minSamplesLeaf: 1001 })))).toBe(1);
  });

  it('are read from their ONNX file as they were, and predict the same', async () => {
    const data = exampleData(3000);
    const model = await trainBoosting(data, { nEstimators: 30 });
    const again = fromOnnx(toOnnx(model));
    expect(again.trees).toEqual(model.trees);
    expect(again.base).toBe(model.base);
    const unseen = exampleData(500, 7).columns.map((column) =>
      column.kind === 'categorical'
        ? { ...column, categories: column.categories.map((name) => `new ${name}`) }
        : column,
    );
    expect(again.predict(unseen)).toEqual(model.predict(unseen));
    expect(again.predict(data.columns)).toEqual(model.predict(data.columns));
  });

  it('stop where held-out rows gain no more, and keep the best of them', async () => {
    const data = exampleData(1500, 3);
    const options = { nEstimators: 400, learningRate: 0.5, earlyStopping: { rounds: 5, share: 0.3 } };
    const model = await trainBoosting(data, options);
    const errors = [...(model.learningCurve?.values ?? [])];
    expect(model.learningCurve?.name).toBe('validation_rmse');
    expect(errors.length).toBeLessThan(400);
    expect(errors).toHaveLength(model.trees.length + 5);
    expect(Math.min(...errors)).toBe(errors[model.trees.length - 1]);
    const few = await trainBoosting(data, { ...options, nEstimators: 3 });
    expect(few.learningCurve?.values).toEqual(Float64Array.from(errors.slice(0, 3)));
  });

  it('hold rows out of what they learn: the error falls as it does on the rows of another draw', async () => {
    const data = exampleData(4000, 3);
    const model = await trainBoosting(data, { nEstimators: 40, earlyStopping: { share: 0.5 } });
    const other = exampleData(4000, 12);
    const { rmse } = evaluate(other.target, model.predict(other.columns));
    const last = model.learningCurve?.values.at(-1) ?? NaN;
    expect(Math.abs(last / rmse - 1)).toBeLessThan(0.1);
  });

  it('tell how far they are after each round', async () => {
    const told: unknown[] = [];
    await trainBoosting(exampleData(200), { nEstimators: 3, onProgress: (progress) => told.push(progress) });
    expect(told).toEqual([1, 2, 3].map((done) => ({ done, total: 3 })));
  });

  it('are given up when asked, also by an onProgress that throws', async () => {
    const data = exampleData(20_000);
    const stop = new AbortController();
    const stopped = trainBoosting(data, {
      nEstimators: 100_000,
      nJobs: 2,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    const thrown = trainBoosting(data, {
      nEstimators: 100_000,
      onProgress: () => {
        throw new Error('enough');
      },
    });
    await expect(thrown).rejects.toMatchObject({ code: 'FOREST_PROGRESS_FAILED' });
  });
});

describe('boosted trees of odd data', () => {
  it.each([
    ['one row', [numeric('x', [1])], [7]],
    [
      'a constant target',
      [
        numeric(
          'x',
          Array.from({ length: 90 }, (_, i) => i),
        ),
      ],
      new Array<number>(90).fill(0.1),
    ],
    ['only missing values', [numeric('x', new Array<number>(90).fill(Number.NaN))], new Array<number>(90).fill(7)],
  ])('predict the mean for %s', async (_what, columns, target) => {
    const model = await trainBoosting({ columns, target: Float64Array.from(target) }, { earlyStopping: true });
    for (const value of model.predict(columns)) expect(value).toBeCloseTo(target[0] ?? NaN, 6);
  });

  it('learn from whether a value is missing, and from more categories than bins', async () => {
    const rows = 30_000;
    const city = Int32Array.from({ length: rows }, (_, row) => (row * 7) % 1000);
    const columns = [
      numeric(
        'x',
        Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? Number.NaN : row % 100)),
      ),
      categorical('city', city, 1000),
    ];
    const target = Float64Array.from(city, (code, row) => (row % 3 === 0 ? 100 : 0) + (code % 10));
    const model = await trainBoosting({ columns, target }, { nEstimators: 150 });
    expect(evaluate(target, model.predict(columns)).rmse).toBeLessThan(0.5);
  });

  it('keep their digits where the target is huge or tiny', async () => {
    const { columns, target } = exampleData(1000);
    const plain = await trainBoosting({ columns, target }, { nEstimators: 20 });
    for (const unit of [2 ** 100, 2 ** -100]) {
      const scaled = await trainBoosting({ columns, target: target.map((value) => value * unit) }, { nEstimators: 20 });
      expectClose(
        scaled.predict(columns).map((value) => value / unit),
        plain.predict(columns),
      );
    }
  });

  it.each([
    ['no rows', { rows: new Uint32Array() }, 'no rows'],
    ['weights of another length', { weights: Float64Array.of(1) }, 'weights'],
    ['a negative weight', { weights: new Float64Array(50).fill(-1) }, 'weight of row 0'],
    ['a weight that is no number', { weights: new Float64Array(50).fill(Number.NaN) }, 'weight of row 0'],
    ['weights that are all 0', { weights: new Float64Array(50) }, 'weigh'],
    ['an infinite value', { columns: [numeric('x', new Array<number>(50).fill(Infinity))] }, 'Infinity'],
  ])('refuse %s', async (_what, odd, message) => {
    const trained = trainBoosting({ ...exampleData(50), ...odd });
    await expect(trained).rejects.toMatchObject({
      code: 'FOREST_INVALID_DATA',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [{ nEstimators: 0 }, 'nEstimators'],
    [{ learningRate: 0 }, 'learningRate'],
    [{ learningRate: Number.NaN }, 'learningRate'],
    [{ maxLeafNodes: 1 }, 'maxLeafNodes'],
    [{ minSamplesLeaf: 0.5 }, 'minSamplesLeaf'],
    [{ l2Regularization: -1 }, 'l2Regularization'],
    [{ maxFeatures: 0 }, 'maxFeatures'],
    [{ earlyStopping: { share: 1 } }, 'earlyStopping.share'],
    [{ earlyStopping: { rounds: 0 } }, 'earlyStopping.rounds'],
    [{ bootstrap: true } as object, 'bootstrap'],
  ])('refuse the options %j', async (options, message) => {
    await expect(trainBoosting(exampleData(50), options)).rejects.toMatchObject({
      code: 'FOREST_INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });
});
