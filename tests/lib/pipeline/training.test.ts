import { fromOnnx } from '../../../lib/forest/index.ts';
import type { FeatureTable } from '../../../lib/pipeline/features.ts';
import { type Trained, train } from '../../../lib/pipeline/training.ts';

/** Rows whose target is 10 a + 100 (by the kind) and noise of ± 5; every fifth is held out, b tells nothing. */
function tableOf(rows: number): FeatureTable {
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  const a = Float64Array.from(all, (row) => (row * 7919) % 101);
  const codes = Int32Array.from(all, (row) => ((row * 31) % 8) - 1);
  const noise = (row: number): number => (((row * 104_729) % 1000) / 1000 - 0.5) * 10;
  return {
    columns: [
      { name: 'a', kind: 'numeric', values: a },
      { name: 'kind', kind: 'categorical', codes, categories: ['p', 'q', 'r', 's', 't', 'u', 'v'] },
      { name: 'b', kind: 'numeric', values: Float64Array.from(all, (row) => (row * 13) % 17) },
    ],
    target: Float64Array.from(all, (row) => 10 * (a[row] ?? 0) + 100 * (codes[row] ?? 0) + noise(row)),
    train: all.filter((row) => row % 5 !== 0),
    heldOut: all.filter((row) => row % 5 === 0),
    predicate: 'p',
    split: 's',
  };
}

const OPTIONS = { trees: 30, maxDepth: 10, seed: 3, baseline: false };

describe.each(['forest', 'boosting'] as const)('training a %s', (algorithm) => {
  let trained: Trained;
  beforeAll(async () => {
    trained = await train(tableOf(4000), { ...OPTIONS, algorithm });
  });

  it('tells its options by the names of scikit-learn, and all its rows', () => {
    expect(trained).toMatchObject({
      algorithm,
      trees: 30,
      rows: 3200,
      heldOut: { rows: 800 },
      predicate: 'p',
      split: 's',
    });
    expect(trained.params).toMatchObject({ algorithm, n_estimators: 30, max_depth: 10, random_state: 3 });
  });

  it('gives intervals that hold nine in ten of the held-out rows, and stand in the file', () => {
    const { intervals } = trained.findings;
    expect(intervals).toMatchObject({ level: 0.9, lower: { length: 800 }, upper: { length: 800 } });
    expect(intervals?.metrics.coverage).toBeGreaterThan(0.84);
    expect(intervals?.metrics.coverage).toBeLessThan(0.97);
    expect(intervals?.metrics.meanWidth).toBeGreaterThan(0);
    expect(fromOnnx(trained.model.onnx).intervals?.coverage).toBe(0.9);
  });

  it('finds by shuffling which features it can do without', () => {
    const [a, kind, b] = trained.findings.permutation;
    expect([a?.name, kind?.name, b?.name]).toEqual(['a', 'kind', 'b']);
    expect(kind?.mean).toBeGreaterThan(20);
    expect(Math.abs(b?.mean ?? Number.NaN)).toBeLessThan((kind?.mean ?? 0) / 10);
  });

  it('tells the error of each part of the held-out rows, the missing among them', () => {
    const { segments } = trained.findings;
    for (const column of ['a', 'kind', 'b']) {
      const parts = segments.filter((segment) => segment.column === column);
      expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(800);
    }
    const kinds = segments.filter(({ column }) => column === 'kind').map(({ segment }) => segment);
    expect(kinds.toSorted()).toEqual(['(missing)', 'p', 'q', 'r', 's', 't', 'u', 'v']);
  });

  it('is the same again by the same seed', async () => {
    const again = await train(tableOf(4000), { ...OPTIONS, algorithm });
    expect(Buffer.compare(again.model.onnx, trained.model.onnx)).toBe(0);
    expect(again.heldOut.id).toBe(trained.heldOut.id);
    expect(again.findings.permutation).toEqual(trained.findings.permutation);
  });

  it('does with a handful of rows, be there intervals or not', async () => {
    const few = await train(tableOf(7), { ...OPTIONS, algorithm, trees: 1 });
    expect(few).toMatchObject({ rows: 5, heldOut: { rows: 2 } });
  });
});

describe('training', () => {
  it('tells how the error of a forest fell by the number of trees', async () => {
    const { findings } = await train(tableOf(1000), { ...OPTIONS, algorithm: 'forest' });
    expect(findings.curve).toMatchObject({ name: 'oob_rmse', values: { length: 30 } });
    const { values } = findings.curve ?? { values: new Float64Array() };
    expect(values[29]).toBeLessThan(values[4] ?? Number.NaN);
  });

  it('needs a row to learn from and two to be scored on', async () => {
    await expect(train(tableOf(5), { ...OPTIONS, algorithm: 'forest' })).rejects.toMatchObject({
      code: 'TOO_FEW_ROWS',
    });
  });
});
