import {
  calibrateIntervals,
  calibrateOutOfBag,
  evaluateIntervals,
  fromOnnx,
  type TrainingData,
  type TreeEnsemble,
  takeRows,
  toOnnx,
  trainBoosting,
  trainForest,
} from '../../../../lib/forest/index.ts';
import { randomStream } from '../../../../lib/forest/random.ts';
import { exampleData, numeric } from '../example.ts';

/** A target whose noise grows tenfold from one end of x to the other. */
function uneven(rows: number, seed: number): TrainingData {
  const random = randomStream(seed, 9);
  const unit = (): number => random.next() / 2 ** 32;
  const x = Float64Array.from({ length: rows }, unit);
  const target = x.map((value) => 10 * value + (0.2 + 2 * value) * (unit() + unit() + unit() - 1.5) * 2);
  return { columns: [numeric('x', x), numeric('other', x.map(unit))], target };
}

/** The coverage on the rows of `data` for which `choose` says true. */
function coverageOf(model: TreeEnsemble, data: TrainingData, choose: (row: number) => boolean) {
  const { predicted, lower, upper } = model.predictIntervals(data.columns);
  const rows = Uint32Array.from(data.target, (_, row) => row).filter(choose);
  return evaluateIntervals(takeRows(data.target, rows), {
    predicted: takeRows(predicted, rows),
    lower: takeRows(lower, rows),
    upper: takeRows(upper, rows),
  });
}

describe('intervals', () => {
  it('of a forest hold nine of ten new rows, where noise is small and where it is great', async () => {
    const data = uneven(6000, 1);
    const forest = await trainForest(data, { nEstimators: 60, minSamplesLeaf: 20, oobScore: true });
    const model = forest.withIntervals(calibrateOutOfBag(forest, data));
    const fresh = uneven(6000, 2);
    const x = (row: number): number => {
      const [column] = fresh.columns;
      return column?.kind === 'numeric' ? (column.values[row] ?? 0) : 0;
    };
    const all = coverageOf(model, fresh, () => true);
    const low = coverageOf(model, fresh, (row) => x(row) < 0.25);
    const high = coverageOf(model, fresh, (row) => x(row) > 0.75);
    expect(Math.abs(all.coverage - 0.9)).toBeLessThan(0.02);
    expect(Math.abs(low.coverage - 0.9)).toBeLessThan(0.06);
    expect(Math.abs(high.coverage - 0.9)).toBeLessThan(0.05);
    expect(high.meanWidth).toBeGreaterThan(2.5 * low.meanWidth);
  });

  it('of boosted trees are calibrated on rows held out', async () => {
    const data = uneven(6000, 1);
    const heldOut = uneven(3000, 3);
    const boosted = await trainBoosting(data, { nEstimators: 60 });
    const predicted = boosted.predict(heldOut.columns);
    const model = boosted.withIntervals(calibrateIntervals({ actual: heldOut.target, predicted }, { coverage: 0.8 }));
    expect(model.intervals).toMatchObject({ by: 'predicted', rows: 3000, coverage: 0.8 });
    const { coverage } = coverageOf(model, uneven(6000, 2), () => true);
    expect(Math.abs(coverage - 0.8)).toBeLessThan(0.03);
  });

  it('stand in the file, to the bit, and the prediction within them is the model’s own', async () => {
    const data = exampleData(900);
    const forest = await trainForest(data, { nEstimators: 20, oobScore: true });
    const model = forest.withIntervals(calibrateOutOfBag(forest, data));
    const again = fromOnnx(toOnnx(model));
    expect(again.intervals).toEqual(model.intervals);
    const intervals = again.predictIntervals(data.columns);
    expect(intervals).toEqual(model.predictIntervals(data.columns));
    expect(intervals.predicted).toEqual(forest.predict(data.columns));
  });

  it('reach from rank to rank of the errors, of few rows from the least to the greatest', () => {
    const zeros = new Float64Array(99);
    const ramp = Float64Array.from(zeros, (_, row) => row + 1);
    expect(calibrateIntervals({ actual: ramp, predicted: zeros })).toEqual({
      coverage: 0.9,
      rows: 99,
      by: 'predicted',
      edges: [],
      lower: [5],
      upper: [95],
    });
    const few = calibrateIntervals({ actual: Float64Array.of(3, 1, 2), predicted: new Float64Array(3) });
    expect(few).toMatchObject({ lower: [1], upper: [3] });
  });

  it('are refused without a calibration, by a spread that boosted trees have not, and where rows do not fit', async () => {
    const data = exampleData(200);
    const forest = await trainForest(data, { nEstimators: 3 });
    expect(() => forest.predictIntervals(data.columns)).toThrow(
      expect.objectContaining({ code: 'FOREST_NOT_CALIBRATED' }),
    );
    const invalid = expect.objectContaining({ code: 'FOREST_INVALID_DATA' });
    expect(() => calibrateOutOfBag(forest, data)).toThrow(invalid);
    const boosted = await trainBoosting(data, { nEstimators: 2 });
    const bySpread = { coverage: 0.9, rows: 9, by: 'spread', edges: [], lower: [-1], upper: [1] } as const;
    expect(() => boosted.withIntervals(bySpread)).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_OPTION' }));
    const one = Float64Array.of(1);
    expect(() => calibrateIntervals({ actual: one, predicted: new Float64Array(2) })).toThrow(invalid);
    expect(() => calibrateIntervals({ actual: new Float64Array(), predicted: new Float64Array() })).toThrow(invalid);
    expect(() => calibrateIntervals({ actual: one, predicted: Float64Array.of(Number.NaN) })).toThrow(invalid);
    expect(() => calibrateIntervals({ actual: one, predicted: one }, { coverage: 1 })).toThrow(
      expect.objectContaining({ code: 'FOREST_INVALID_OPTION' }),
    );
  });

  it.each([
    ['"coverage":0.9', '"coverage":9.9'],
    ['"by":"spread"', '"by":"sprout"'],
    ['"lower":[-', '"lower":[ '],
    ['"edges":[]', '"edges":{}'],
    ['"upper":[1]', '"upper":[ ]'],
  ])('are refused in a damaged file (%s)', async (from, to) => {
    const forest = await trainForest(exampleData(50), { nEstimators: 1 });
    const model = forest.withIntervals({
      coverage: 0.9,
      rows: 50,
      by: 'spread',
      edges: [],
      lower: [-5],
      upper: [1],
    });
    const file = Buffer.from(toOnnx(model));
    const at = file.indexOf(from);
    expect(at).toBeGreaterThan(0);
    file.write(to, at);
    expect(() => fromOnnx(file)).toThrow(expect.objectContaining({ code: 'FOREST_MODEL_UNREADABLE' }));
  });
});
