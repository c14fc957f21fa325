import { weightedQuantile } from '../../../lib/forest/quantile.ts';
import { randomStream } from '../../../lib/forest/random.ts';

/** By the definition, on the sorted values. */
function bySorting(values: Float64Array, weights: Float64Array, share: number): number {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let through = 0;
  for (const [place, at] of order.entries()) {
    through += weights[at] ?? 0;
    if (through < share * total - 1e-9 * total) continue;
    const next = order[place + 1];
    const own = values[at] ?? 0;
    return Math.abs(through - share * total) <= 1e-9 * total && next !== undefined
      ? (own + (values[next] ?? 0)) / 2
      : own;
  }
  throw new Error('no value');
}

describe('the weighted quantile', () => {
  it('is the usual median of equal weights', () => {
    const median = (...values: number[]): number =>
      weightedQuantile(Float64Array.from(values), new Float64Array(values.length).fill(1), values.length, 0.5);
    expect(median(7)).toBe(7);
    expect(median(1, 2)).toBe(1.5);
    expect(median(3, 1, 2)).toBe(2);
    expect(median(4, 1, 2, 3)).toBe(2.5);
    expect(median(5, 5, 5, 1)).toBe(5);
  });

  it('is what sorting finds, with ties and whole weights', () => {
    for (let seed = 0; seed < 2000; seed++) {
      const random = randomStream(seed, 0);
      const count = 1 + random.below(30);
      const values = Float64Array.from({ length: count }, () => random.below(20));
      const weights = Float64Array.from({ length: count }, () => 1 + random.below(4));
      const share = [0.5, 0.1, 0.9, 0.25][seed % 4] ?? 0.5;
      const expected = bySorting(values, weights, share);
      expect({ seed, quantile: weightedQuantile(values, weights, count, share) }).toEqual({ seed, quantile: expected });
    }
  });
});
