import { evaluateMean, splitRows, trainBaseline } from '../../../lib/forest/index.ts';
import { exampleData } from './example.ts';

const data = exampleData(1500);
const { train, heldOut } = splitRows(1500, 0.2, 1);
const learning = { ...data, rows: train };

describe('the mean baseline', () => {
  it('scores about 0 on rows it has not seen, and exactly 0 on its own', () => {
    expect(Math.abs(evaluateMean(learning, heldOut).r2)).toBeLessThan(0.05);
    const own = evaluateMean(learning, train);
    expect(own.r2).toBeCloseTo(0, 9);
    expect(own.rmse).toBeGreaterThan(own.mae);
  });
});

describe('the baseline of ml-random-forest', () => {
  it('learns from a bounded sample, the same for the same seed, and beats the mean', async () => {
    const options = { rows: 200, trees: 3, seed: 4 };
    const baseline = await trainBaseline(learning, heldOut, options);
    expect(baseline).toMatchObject({ rows: 200, trees: 3, maxDepth: 10 });
    expect(baseline.metrics.r2).toBeGreaterThan(0.7);
    expect(baseline.seconds).toBeGreaterThan(0);
    expect((await trainBaseline(learning, heldOut, options)).metrics).toEqual(baseline.metrics);
    expect((await trainBaseline(learning, heldOut, { ...options, seed: 5 })).metrics).not.toEqual(baseline.metrics);
  });

  it('takes all rows where there are fewer than the sample', async () => {
    const few = { ...data, rows: train.subarray(0, 30) };
    expect((await trainBaseline(few, heldOut, { rows: 100, trees: 1 })).rows).toBe(30);
  });

  it.each([
    [{ rows: 0 }, "baseline's rows is 0"],
    [{ rows: 1_000_000 }, 'from 1 to 5000'],
    [{ trees: 1.5 }, "baseline's trees is 1.5"],
    [{ seed: 0.1 }, "baseline's seed is 0.1"],
  ])('refuses the options %j', async (options, message) => {
    const refused = trainBaseline(learning, heldOut, options);
    await expect(refused).rejects.toMatchObject({ code: 'FOREST_INVALID_OPTION' });
    await expect(refused).rejects.toThrow(message);
  });

  it('refuses rows that are not there', async () => {
    await expect(trainBaseline(learning, Uint32Array.of(9999), { rows: 20, trees: 1 })).rejects.toMatchObject({
      code: 'FOREST_INVALID_DATA',
    });
  });
});
