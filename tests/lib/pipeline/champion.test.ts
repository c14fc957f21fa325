import { type TreeEnsemble, toOnnx, trainForest } from '../../../lib/forest/index.ts';
import { evaluateChampion } from '../../../lib/pipeline/champion.ts';

const kinds = ['books', 'games', 'music'];

/** A forest that knows what each kind costs; its own codes follow the prices. */
async function forestOf(
  prices: readonly number[],
  columns: readonly string[] = ['kind', 'age'],
): Promise<TreeEnsemble> {
  const rows = 90;
  const codes = Int32Array.from({ length: rows }, (_, row) => row % 3);
  const target = Float64Array.from(codes, (code) => prices[code] ?? 0);
  const kind = { name: columns[0] ?? '', kind: 'categorical', codes, categories: kinds } as const;
  const age = { name: columns[1] ?? '', kind: 'numeric', values: new Float64Array(rows).fill(30) } as const;
  return trainForest({ columns: [kind, age], target }, { nEstimators: 5, nJobs: 1, maxFeatures: 1, bootstrap: false });
}

/** Rows as the training that held them out has them, each kind four times: kinds by `categories`' positions, then the age. */
function heldOut(categories: readonly string[], prices: Readonly<Record<string, number>>, error = 0) {
  const each = [0, 1, 2, 3].flatMap(() => categories.map((category, code) => ({ category, code })));
  const target = Float64Array.from(each, ({ category }) => prices[category] ?? 0);
  return {
    held: {
      id: 'rows',
      rows: each.length,
      features: new Float32Array(each.flatMap(({ code }) => [code, 30])),
      target,
      predicted: target.map((value, row) => value + error * (row % 2 === 0 ? 1 : -1)),
    },
    features: [
      { name: 'kind', kind: 'categorical' as const, categories },
      { name: 'age', kind: 'numeric' as const },
    ],
  };
}

describe('evaluateChampion', () => {
  it('scores a model that numbers the categories in another order', async () => {
    const champion = toOnnx(await forestOf([10, 20, 30]));
    const { held, features } = heldOut(['music', 'books', 'games'], { books: 10, games: 20, music: 30 });
    const score = await evaluateChampion(champion, held, features);
    expect(score?.rmse).toBeCloseTo(0, 9);
    expect(score).toMatchObject({ better: false, pValue: 1, metrics: { r2: 1 } });
    const worse = heldOut(['music', 'books', 'games'], { books: 13, games: 24, music: 30 });
    expect((await evaluateChampion(champion, worse.held, worse.features))?.rmse).toBeCloseTo(Math.sqrt(25 / 3), 5);
  });

  it('says that the new model is better only where its errors on the same rows are surely smaller', async () => {
    const champion = toOnnx(await forestOf([10, 20, 30]));
    const real = { books: 13, games: 24, music: 35 };
    const close = heldOut(kinds, real, 1);
    const better = await evaluateChampion(champion, close.held, close.features);
    expect(better?.better).toBe(true);
    expect(better?.difference).toBeCloseTo((9 + 16 + 25) / 3 - 1, 4);
    const far = heldOut(kinds, real, 4);
    expect((await evaluateChampion(champion, far.held, far.features))?.better).toBe(false);
  });

  it('does not score a model that needs another column, or is no forest of ours', async () => {
    const { held, features } = heldOut(kinds, {});
    expect(await evaluateChampion(toOnnx(await forestOf([1, 2, 3], ['sort', 'age'])), held, features)).toBeUndefined();
    expect(await evaluateChampion(toOnnx(await forestOf([1, 2, 3], ['age', 'kind'])), held, features)).toBeUndefined();
    expect(await evaluateChampion(Uint8Array.of(8, 7), held, features)).toBeUndefined();
  });

  it('does not score on rows, or beside predictions, that were not kept', async () => {
    const champion = toOnnx(await forestOf([1, 2, 3]));
    const { held, features } = heldOut(kinds, {});
    const { predicted: _, ...without } = held;
    expect(await evaluateChampion(champion, without, features)).toBeUndefined();
    expect(await evaluateChampion(champion, { id: 'rows', rows: 3 }, heldOut(kinds, {}).features)).toBeUndefined();
  });
});
