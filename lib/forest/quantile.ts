/**
 * The value below which a share of the weight of `values[0 … count − 1]` lies; midway between two neighbours where the
 * share falls just between them, so that half of an even number of equal weights is the usual median. Reorders both
 * arrays. Expected time is linear (Hoare's selection, the middle of three as the pivot).
 */
export function weightedQuantile(values: Float64Array, weights: Float64Array, count: number, share: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i] ?? 0;
  const wanted = share * total;
  const slack = 1e-12 * total;
  let from = 0;
  let to = count;
  // The weight of all that was found to be smaller than the values from `from` on.
  let below = 0;
  while (to - from > 1) {
    const pivot = middleOf(values[from] ?? 0, values[(from + to) >>> 1] ?? 0, values[to - 1] ?? 0);
    // Smaller ones come to the front, equal ones next, as in the Dutch flag.
    let smaller = from;
    let larger = to;
    let smallerWeight = 0;
    let equalWeight = 0;
    for (let i = from; i < larger; ) {
      const value = values[i] ?? 0;
      const weight = weights[i] ?? 0;
      if (value < pivot) {
        smallerWeight += weight;
        swap(values, weights, i++, smaller++);
      } else if (value > pivot) swap(values, weights, i, --larger);
      else {
        equalWeight += weight;
        i++;
      }
    }
    if (wanted < below + smallerWeight - slack) {
      to = smaller;
      continue;
    }
    if (wanted <= below + smallerWeight + slack && smaller > from) return (greatest(values, from, smaller) + pivot) / 2;
    below += smallerWeight + equalWeight;
    if (wanted < below - slack || larger === count) return pivot;
    if (wanted <= below + slack || larger === to) return (pivot + least(values, larger, count)) / 2;
    from = larger;
  }
  const value = values[from] ?? 0;
  const through = below + (weights[from] ?? 0);
  return to < count && wanted >= through - slack && wanted <= through + slack
    ? (value + least(values, to, count)) / 2
    : value;
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function swap(values: Float64Array, weights: Float64Array, a: number, b: number): void {
  const value = values[a] ?? 0;
  const weight = weights[a] ?? 0;
  values[a] = values[b] ?? 0;
  weights[a] = weights[b] ?? 0;
  values[b] = value;
  weights[b] = weight;
}

function least(values: Float64Array, from: number, to: number): number {
  let found = Infinity;
  for (let i = from; i < to; i++) found = Math.min(found, values[i] ?? Infinity);
  return found;
}

function greatest(values: Float64Array, from: number, to: number): number {
  let found = -Infinity;
  for (let i = from; i < to; i++) found = Math.max(found, values[i] ?? -Infinity);
  return found;
}
