import type { CategoricalColumn, NumericColumn, TrainingData } from '../../../lib/forest/index.ts';
import { randomStream } from '../../../lib/forest/random.ts';

/** Data that a forest can learn: two categories, numbers with missing values among them, a target of interactions. */
export function exampleData(rows: number, seed = 1): TrainingData {
  const random = randomStream(seed, 0);
  const unit = (): number => random.next() / 2 ** 32;
  const age = new Float64Array(rows);
  const income = new Float64Array(rows);
  const noise = new Float64Array(rows);
  const city = new Int32Array(rows);
  const goods = new Int32Array(rows);
  const target = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    age[row] = unit() < 0.05 ? Number.NaN : 18 + random.below(62);
    income[row] = unit() < 0.05 ? Number.NaN : 20_000 + 80_000 * unit();
    noise[row] = unit();
    city[row] = unit() < 0.03 ? -1 : random.below(20);
    goods[row] = random.below(6);
    const wealth = Number.isNaN(income[row]) ? 30 : (income[row] ?? 0) / 1000;
    const liking = [2, 0.5, 3, 1, 0.2, 1.5][goods[row] ?? 0] ?? 1;
    target[row] = 100 + wealth * liking + (((city[row] ?? 0) * 7) % 20) + ((age[row] ?? 0) > 40 ? 15 : 0) + 5 * unit();
  }
  return {
    columns: [
      numeric('age', age),
      numeric('income', income),
      numeric('noise', noise),
      categorical('city', city, 20),
      categorical('goods', goods, 6),
    ],
    target,
  };
}

/** A feature of numbers. */
export function numeric(name: string, values: ArrayLike<number>): NumericColumn {
  return { name, kind: 'numeric', values: Float64Array.from(values) };
}

/** A feature of codes, whose categories are named after the feature: `city 0`, `city 1`, … */
export function categorical(name: string, codes: ArrayLike<number>, count: number): CategoricalColumn {
  const categories = Array.from({ length: count }, (_, code) => `${name} ${code}`);
  return { name, kind: 'categorical', codes: Int32Array.from(codes), categories };
}
