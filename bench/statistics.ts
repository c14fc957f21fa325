/** The middle of some numbers; NaN of none. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** The mean of some numbers. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** The standard deviation of a sample (n − 1); 0 of one number. */
export function deviation(numbers: readonly number[]): number {
  if (numbers.length < 2) return 0;
  const middle = mean(numbers);
  return Math.sqrt(numbers.reduce((sum, number) => sum + (number - middle) ** 2, 0) / (numbers.length - 1));
}

/** Student's t at .975, by degrees of freedom from 1. */
const T = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1];

/**
 * The difference of two samples' means (`ours` − `theirs`), and half the width of its 95 % interval (Welch 1947): a
 * difference that is smaller is within the noise of the seeds. The half is NaN where a sample has one number alone.
 */
export function difference(ours: readonly number[], theirs: readonly number[]): { by: number; noise: number } {
  const by = mean(ours) - mean(theirs);
  if (ours.length < 2 || theirs.length < 2) return { by, noise: Number.NaN };
  const a = deviation(ours) ** 2 / ours.length;
  const b = deviation(theirs) ** 2 / theirs.length;
  if (a + b === 0) return { by, noise: 0 };
  const freedom = (a + b) ** 2 / (a ** 2 / (ours.length - 1) + b ** 2 / (theirs.length - 1));
  return { by, noise: (T[Math.max(1, Math.floor(freedom)) - 1] ?? 1.96) * Math.sqrt(a + b) };
}
