import { faker } from '@faker-js/faker/locale/en';

/** The running shares of `weights`, from above 0 to 1. */
export function cumulative(weights: readonly number[], count: number): Float64Array {
  if (weights.length !== count) throw new RangeError(`${weights.length} weights for ${count} values`);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return Float64Array.from(weights, (weight) => {
    sum += weight;
    return sum / total;
  });
}

/** A place, drawn by running shares. */
export function place(shares: Float64Array): number {
  const drawn = faker.number.float();
  let at = 0;
  while (at < shares.length - 1 && drawn >= (shares[at] ?? 1)) at++;
  return at;
}

/** A draw from the standard normal distribution (Box and Muller's way). */
export function normal(): number {
  const radius = Math.sqrt(-2 * Math.log(1 - faker.number.float() * (1 - Number.EPSILON)));
  return radius * Math.cos(2 * Math.PI * faker.number.float());
}

/** An amount of money, rounded to cents. */
export function cents(value: number): number {
  return Math.round(value * 100) / 100;
}
