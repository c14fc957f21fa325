import { encodeColumns, evaluate, splitRows, takeRows, toOnnx, trainForest } from '../../../lib/forest/index.ts';
import { categorical, exampleData, numeric } from './example.ts';

describe('trainForest', () => {
  it('gives the same forest, to the bit, for one, two and three workers, and another for another seed', async () => {
    const data = exampleData(20_000);
    const files = [];
    for (const workers of [1, 2, 3, 2]) {
      files.push(
        Buffer.from(toOnnx(await trainForest(data, { nEstimators: 12, maxDepth: 9, randomState: 5, nJobs: workers }))),
      );
    }
    for (const file of files) expect(file.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
    const other = Buffer.from(toOnnx(await trainForest(data, { nEstimators: 12, maxDepth: 9, randomState: 6 })));
    expect(other.equals(files[0] ?? Buffer.alloc(0))).toBe(false);
  });

  it('begins a larger forest with the trees of a smaller one', async () => {
    const data = exampleData(500);
    const [small, large] = [await trainForest(data, { nEstimators: 3 }), await trainForest(data, { nEstimators: 5 })];
    expect(large.trees.slice(0, 3)).toEqual(small.trees);
    expect(large.trees).toHaveLength(5);
  });

  it('predicts rows that it has not seen far better than their mean', async () => {
    const data = exampleData(6000);
    const { train, heldOut } = splitRows(6000, 0.2, 1);
    const forest = await trainForest({ ...data, rows: train }, { maxDepth: 12, maxFeatures: 0.6 });
    const scores = evaluate(takeRows(data.target, heldOut), forest.predict(data.columns, heldOut));
    expect(scores.r2).toBeGreaterThan(0.97);
  });

  it('learns from the listed rows alone, in any order of columns beside them', async () => {
    const data = exampleData(400);
    const rows = Uint32Array.from({ length: 200 }, (_, at) => at * 2);
    const picked = {
      target: takeRows(data.target, rows),
      columns: data.columns.map((column) =>
        column.kind === 'numeric'
          ? { ...column, values: takeRows(column.values, rows) }
          : { ...column, codes: Int32Array.from(rows, (row) => column.codes[row] ?? -1) },
      ),
    };
    const forest = await trainForest({ ...data, rows }, { nEstimators: 4 });
    expect(forest).toEqual(await trainForest(picked, { nEstimators: 4 }));
    const all = forest.predict(data.columns);
    expect(forest.predict([...data.columns].reverse(), rows)).toEqual(takeRows(all, rows));
  });

  it('keeps to maxDepth and minSamplesLeaf', async () => {
    const data = exampleData(2000);
    const forest = await trainForest(data, { nEstimators: 3, maxDepth: 4, minSamplesLeaf: 50, bootstrap: false });
    const { matrix } = encodeColumns(forest.features, data.columns);
    const width = forest.features.length;
    for (const tree of forest.trees) {
      const rowsAt = new Map<number, number>();
      for (let row = 0; row < 2000; row++) {
        let node = 0;
        let depth = 0;
        for (; tree.left[node] !== 0; depth++) {
          const value = matrix[row * width + (tree.feature[node] ?? 0)] ?? Number.NaN;
          const left = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] ?? 0);
          node = (tree.left[node] ?? 0) + (left ? 0 : 1);
        }
        expect(depth).toBeLessThanOrEqual(4);
        rowsAt.set(node, (rowsAt.get(node) ?? 0) + 1);
      }
      expect(Math.min(...rowsAt.values())).toBeGreaterThanOrEqual(50);
      expect(rowsAt.size).toBeGreaterThan(8);
    }
  });

  it('draws rows with replacement: a tree sees about 63 % of them', async () => {
    const values = Float64Array.from({ length: 2000 }, (_, row) => row);
    const columns = [
      numeric(
        'x',
        values.map((value) => value % 250),
      ),
      numeric(
        'y',
        values.map((value) => (value / 250) | 0),
      ),
    ];
    const forest = await trainForest({ columns, target: values }, { nEstimators: 20 });
    const leaves = forest.trees.map((tree) => tree.left.filter((left) => left === 0).length / 2000);
    for (const share of leaves) expect(Math.abs(share - 0.632)).toBeLessThan(0.03);
    expect(new Set(leaves).size).toBeGreaterThan(5);
  });

  it('gives missing values a side of their own where they mean something', async () => {
    const x = Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? Number.NaN : row % 50));
    const target = Float64Array.from(x, (value) => (Number.isNaN(value) ? 500 : value));
    const forest = await trainForest({ columns: [numeric('x', x)], target }, { nEstimators: 10 });
    const [missing, low, high] = forest.predict([numeric('x', [Number.NaN, 0, 49])]);
    expect(missing).toBeCloseTo(500, 5);
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(47);
  });

  it('sends missing and unseen values with most rows where it learnt nothing of them', async () => {
    const codes = Array.from({ length: 100 }, (_, row) => (row < 80 ? 0 : 1));
    const data = { columns: [categorical('kind', codes, 3)], target: Float64Array.from(codes, (code) => code * 10) };
    const forest = await trainForest(data, { nEstimators: 3, bootstrap: false });
    const unseen = { name: 'kind', kind: 'categorical' as const, codes: Int32Array.of(0, 1, 2, -1, 3) };
    const categories = ['kind 1', 'kind 0', 'kind 2', 'never heard of'];
    expect([...forest.predict([{ ...unseen, categories }])]).toEqual([10, 0, 0, 0, 0]);
    expect(forest.features).toEqual([{ name: 'kind', kind: 'categorical', categories: ['kind 0', 'kind 1'] }]);
  });

  it('tells which features helped, in shares that add up to 1', async () => {
    const forest = await trainForest(exampleData(3000), { nEstimators: 20, maxFeatures: 1 });
    const shares = Object.fromEntries(forest.importances.map(({ name, importance }) => [name, importance]));
    expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(shares.goods).toBeGreaterThan(0.4);
    expect(shares.noise).toBeLessThan(0.02);
  });

  it('copes with a constant target, a single row, constant and empty features', async () => {
    const odd = [
      numeric('constant', [1, 1, 1, 1]),
      numeric('missing', [Number.NaN, Number.NaN, Number.NaN, Number.NaN]),
      categorical('none', [-1, -1, -1, -1], 0),
    ];
    const flat = await trainForest({ columns: odd, target: Float64Array.of(3, 3, 3, 3) }, { nEstimators: 2 });
    expect([...flat.predict(odd)]).toEqual([3, 3, 3, 3]);
    expect(flat.importances.map(({ importance }) => importance)).toEqual([0, 0, 0]);
    const unsplit = await trainForest(
      { columns: odd, target: Float64Array.of(1, 2, 3, 6) },
      { nEstimators: 1, bootstrap: false },
    );
    expect([...unsplit.predict(odd)]).toEqual([3, 3, 3, 3]);
    const single = await trainForest({ columns: [numeric('x', [1])], target: Float64Array.of(9) });
    expect([...single.predict([numeric('x', [-5, 5])])]).toEqual([9, 9]);
  });

  it('predicts within the range of a target far from 0', async () => {
    const data = exampleData(500);
    const target = data.target.map((value) => value + 1e6);
    const forest = await trainForest({ ...data, target }, { nEstimators: 20, maxFeatures: 1 });
    expect(evaluate(target, forest.predict(data.columns)).r2).toBeGreaterThan(0.95);
  });

  it('cuts a feature of many values at its quantiles, whatever their scale', async () => {
    const rows = 20_000;
    const values = Float64Array.from({ length: rows }, (_, row) => Math.exp(((row * 7919) % rows) / 500));
    const target = values.map((value) => Math.log(value));
    const columns = [numeric('x', values)];
    const forest = await trainForest({ columns, target }, { nEstimators: 10 });
    expect(evaluate(target, forest.predict(columns)).r2).toBeGreaterThan(0.9999);
    for (const tree of forest.trees) {
      for (const threshold of tree.threshold) expect(threshold).toBe(Math.fround(threshold));
    }
  });

  it('calls onProgress after each tree', async () => {
    const seen: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      expect(total).toBe(7);
      seen.push(done);
    };
    await trainForest(exampleData(100), { nEstimators: 7, onProgress });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
