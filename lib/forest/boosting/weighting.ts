import type { Weighting } from './job.ts';

/**
 * Positive weights of the rows as whole numbers of at least 1, as large as fits: each in 32 bits, and their sum beside
 * the rows' number in one word of 63. The unit is a power of two.
 */
export function weigh(weights: Float64Array, rows: Uint32Array): Weighting & { readonly whole: Uint32Array } {
  let sum = 0;
  let greatest = 0;
  for (const row of rows) {
    const weight = weights[row] ?? 0;
    sum += weight;
    greatest = Math.max(greatest, weight);
  }
  const countBits = 32 - Math.clz32(rows.length);
  // A bit is left for those that are rounded up to 1.
  const unit = powerOfTwoAbove(Math.max(greatest / 2 ** 31, sum / 2 ** (61 - countBits)));
  const whole = new Uint32Array(rows.length);
  rows.forEach((row, place) => {
    whole[place] = Math.max(1, Math.round((weights[row] ?? 0) / unit));
  });
  return { countBits, unit, whole };
}

/** Exact on every machine, which a logarithm need not be. */
function powerOfTwoAbove(value: number): number {
  const bits = new DataView(Float64Array.of(value).buffer).getUint32(4, true);
  return 2 ** (((bits >>> 20) & 0x7ff) - 1022);
}
