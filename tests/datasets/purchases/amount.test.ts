import { expectedAmount } from '../../../datasets/purchases/amount.ts';
import { CATEGORIES, EDUCATIONS } from '../../../datasets/purchases/pools.ts';
import { Shop } from './shop.ts';

interface Known {
  readonly age: number;
  readonly income: number;
  readonly education: number;
  readonly category: number;
  readonly month: number;
  readonly weekday: number;
  readonly hour: number;
  readonly amount: number;
}

let shop: Shop;
let known: Known[];
afterAll(() => {
  shop.close();
});
beforeAll(async () => {
  shop = await Shop.open();
  await shop.deliver(20_000, 11);
  await shop.refine();
  known = (
    await shop.rows(`SELECT s.age, s.income, s.education, s.product_category, s.month, s.day_of_week, s.hour, s.purchase_amount
      FROM silver AS s JOIN good USING (purchase_id)
      WHERE good.age IS NOT NULL AND good.income IS NOT NULL AND good.education IS NOT NULL`)
  ).map((row) => ({
    age: Number(row.age),
    income: Number(row.income),
    education: EDUCATIONS.map(String).indexOf(String(row.education)),
    category: CATEGORIES.map(String).indexOf(String(row.product_category)),
    month: Number(row.month),
    weekday: Number(row.day_of_week),
    hour: Number(row.hour),
    amount: Number(row.purchase_amount),
  }));
});

/** The share of the amounts' variance that predictions explain. */
function r2(predict: (row: Known) => number): number {
  const mean = known.reduce((sum, { amount }) => sum + amount, 0) / known.length;
  const left = known.reduce((sum, row) => sum + (row.amount - predict(row)) ** 2, 0);
  return 1 - left / known.reduce((sum, { amount }) => sum + (amount - mean) ** 2, 0);
}

/** The features of a line: numbers as they are, education and category one-hot, and a constant. */
function features(row: Known): number[] {
  const oneHot = (place: number, count: number) => Array.from({ length: count - 1 }, (_, at) => (at === place ? 1 : 0));
  const { age, income, month, weekday, hour } = row;
  return [
    1,
    age / 100,
    income / 100_000,
    month / 12,
    weekday / 7,
    hour / 24,
    weekday >= 6 ? 1 : 0,
    ...oneHot(row.education, EDUCATIONS.length),
    ...oneHot(row.category, CATEGORIES.length),
  ];
}

/** The weights of least squares, from the normal equations by Gauss's elimination. */
function leastSquares(): number[] {
  const width = features(known[0] ?? fail('no rows')).length;
  const system = Array.from({ length: width }, () => new Float64Array(width + 1));
  for (const row of known) {
    const values = features(row);
    for (const [i, equation] of system.entries()) {
      const factor = values[i] ?? 0;
      for (let j = 0; j < width; j++) equation[j] = (equation[j] ?? 0) + factor * (values[j] ?? 0);
      equation[width] = (equation[width] ?? 0) + factor * row.amount;
    }
  }
  for (const [i, pivot] of system.entries()) {
    for (const [k, other] of system.entries()) {
      if (k === i) continue;
      const ratio = (other[i] ?? 0) / (pivot[i] ?? 0);
      for (let j = i; j <= width; j++) other[j] = (other[j] ?? 0) - ratio * (pivot[j] ?? 0);
    }
  }
  return system.map((equation, i) => (equation[width] ?? 0) / (equation[i] ?? 0));
}

function fail(what: string): never {
  throw new Error(what);
}

describe('the amount of a purchase', () => {
  it('is known to a perfect model up to an R² of about 0.9', () => {
    const perfect = r2((row) => expectedAmount({ ...row, day: { month: row.month, weekday: row.weekday } }));
    expect(perfect).toBeGreaterThan(0.88);
    expect(perfect).toBeLessThan(0.92);
  });

  it('is known to a line clearly worse', () => {
    const weights = leastSquares();
    const line = r2((row) => features(row).reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0));
    expect(line).toBeGreaterThan(0.5);
    expect(line).toBeLessThan(0.8);
  });

  it('depends on each thing that a model knows', () => {
    const occasion = { age: 40, income: 50_000, education: 1, category: 4, day: { month: 4, weekday: 3 }, hour: 12 };
    const usual = expectedAmount(occasion);
    expect(expectedAmount({ ...occasion, age: 70 })).toBeLessThan(usual);
    expect(expectedAmount({ ...occasion, income: 100_000 })).toBeGreaterThan(usual);
    expect(expectedAmount({ ...occasion, education: 3 })).toBeGreaterThan(usual);
    expect(expectedAmount({ ...occasion, category: 0 })).toBeLessThan(usual);
    expect(expectedAmount({ ...occasion, day: { month: 10, weekday: 3 } })).toBeLessThan(usual);
    expect(expectedAmount({ ...occasion, day: { month: 4, weekday: 6 } })).toBeGreaterThan(usual);
    expect(expectedAmount({ ...occasion, category: 2, hour: 18 })).toBeGreaterThan(
      expectedAmount({ ...occasion, category: 2 }),
    );
  });

  it('of a category that is none is refused', () => {
    const occasion = { age: 40, income: 50_000, education: 1, category: 6, day: { month: 4, weekday: 3 }, hour: 12 };
    expect(() => expectedAmount(occasion)).toThrow(RangeError);
  });
});
