import { type Drawn, drawRows } from '../../../lib/forest/draw.ts';
import { encodeColumns, type TrainingData, type Tree, trainForest } from '../../../lib/forest/index.ts';
import { resolveOptions } from '../../../lib/forest/options.ts';
import { layOut } from '../../../lib/forest/problem.ts';
import { randomStream } from '../../../lib/forest/random.ts';
import { exampleData } from './example.ts';

const OPTIONS = { nEstimators: 7, maxDepth: 6, randomState: 3, oobScore: true };

/** The leaf's value for one row of the model's matrix. */
function walk(tree: Tree, row: Float32Array): number {
  let node = 0;
  for (let left = tree.left[0] ?? 0; left !== 0; left = tree.left[node] ?? 0) {
    const value = row[tree.feature[node] ?? 0] ?? Number.NaN;
    const goesLeft = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] ?? 0);
    node = goesLeft ? left : left + 1;
  }
  return tree.value[node] ?? 0;
}

/** Which rows each tree drew, a bit a row. */
function draws(data: TrainingData, rows: number): Uint8Array[] {
  const options = resolveOptions(OPTIONS);
  const { problem } = layOut(data, rows, options.randomState);
  return Array.from({ length: options.nEstimators }, (_, tree) => {
    const bits = new Uint8Array(Math.ceil(rows / 8));
    const lists = { index: new Uint32Array(rows), sums: new Float64Array(rows * 2), drawn: undefined };
    const drawn: Drawn = drawRows(problem, options, randomStream(3, tree), lists, new Uint32Array(rows), bits);
    expect(drawn.count).toBe(rows);
    return bits;
  });
}

describe('out-of-bag scores', () => {
  it('are those of the trees that did not draw a row', async () => {
    const rows = 300;
    const data = exampleData(rows);
    const { trees, features, outOfBag, learningCurve } = await trainForest(data, OPTIONS);
    const { matrix } = encodeColumns(features, data.columns);
    const bits = draws(data, rows);
    const errors = Array.from(trees, () => [] as number[]);
    for (let row = 0; row < rows; row++) {
      const own = matrix.subarray(row * features.length, (row + 1) * features.length);
      const found: number[] = [];
      const mean = (): number => found.reduce((a, b) => a + b, 0) / found.length;
      trees.forEach((tree, number) => {
        if (((bits[number]?.[row >>> 3] ?? 0) & (1 << (row & 7))) === 0) found.push(walk(tree, own));
        if (found.length > 0) errors[number]?.push((mean() - (data.target[row] ?? 0)) ** 2);
      });
      const spread = Math.sqrt(found.reduce((sum, value) => sum + (value - mean()) ** 2, 0) / found.length);
      if (found.length === 0) expect(outOfBag?.predicted[row]).toBeNaN();
      else expect(outOfBag?.predicted[row]).toBeCloseTo(mean(), 8);
      if (found.length === 0) expect(outOfBag?.spread[row]).toBeNaN();
      else expect(outOfBag?.spread[row]).toBeCloseTo(spread, 5);
    }
    expect(learningCurve?.name).toBe('oob_rmse');
    errors.forEach((squares, tree) => {
      const rmse = Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
      expect(learningCurve?.values[tree]).toBeCloseTo(rmse, 8);
    });
    expect(outOfBag?.metrics.rmse).toBeCloseTo(learningCurve?.values[6] ?? Number.NaN, 8);
  });

  it('are the same, to the bit, for any number of workers', async () => {
    const data = exampleData(20_000);
    const [one, three] = await Promise.all([1, 3].map((nJobs) => trainForest(data, { ...OPTIONS, nJobs })));
    expect(three?.outOfBag).toEqual(one?.outOfBag);
    expect(three?.learningCurve).toEqual(one?.learningCurve);
    expect(one?.outOfBag?.metrics.r2).toBeGreaterThan(0.6);
  });

  it('stand where the rows stand that were given, NaN where a row weighs nothing', async () => {
    const data = exampleData(400);
    const rows = Uint32Array.from({ length: 100 }, (_, i) => 399 - i);
    const weights = Float64Array.from(data.target, (_, row) => (row === 399 ? 0 : 2));
    const { outOfBag } = await trainForest({ ...data, rows, weights }, { ...OPTIONS, nEstimators: 30 });
    expect(outOfBag?.predicted).toHaveLength(100);
    expect(outOfBag?.predicted[0]).toBeNaN();
    const error = (row: number): number => Math.abs((outOfBag?.predicted[row] ?? 0) - (data.target[399 - row] ?? 0));
    const others = Array.from({ length: 99 }, (_, i) => error(i + 1));
    expect(others.reduce((a, b) => a + b, 0) / 99).toBeCloseTo(outOfBag?.metrics.mae ?? Number.NaN, 9);
    expect(outOfBag?.metrics.r2).toBeGreaterThan(0.5);
  });

  it('are there only where they were asked for', async () => {
    const { outOfBag, learningCurve } = await trainForest(exampleData(30), { nEstimators: 2 });
    expect([outOfBag, learningCurve]).toEqual([undefined, undefined]);
  });
});
