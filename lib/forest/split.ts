import { MISSING_BIN } from './bin.ts';

/** The best split found so far for one node. Reused from node to node, so that growing a tree allocates nothing. */
export interface Split {
  /** −1 while none is found. */
  feature: number;
  /** Bins up to this one go left. */
  cut: number;
  missingLeft: boolean;
  /** Σ over both sides of (sum of targets)² / weight; more is better (CART's variance reduction, less what is constant). */
  score: number;
  leftSum: number;
  leftWeight: number;
}

/** Forgets what was found. */
export function resetSplit(split: Split): void {
  split.feature = -1;
  split.score = -Infinity;
}

/**
 * Looks through one feature's histogram for a better split, and clears the histogram. `bins` is how many bins the
 * feature has beside the missing one. Where the node has missing values, each cut is tried with them on either side,
 * and so is the cut that parts them from all the others; where it has none, they go the way of most rows.
 *
 * Returns false where the node's rows all lie in one bin.
 */
export function searchHistogram(
  sums: Float64Array,
  weights: Int32Array,
  offset: number,
  bins: number,
  feature: number,
  totalSum: number,
  totalWeight: number,
  minLeaf: number,
  best: Split,
): boolean {
  const missingAt = offset + MISSING_BIN;
  const missingWeight = weights[missingAt] ?? 0;
  const missingSum = sums[missingAt] ?? 0;
  weights[missingAt] = 0;
  sums[missingAt] = 0;
  const presentWeight = totalWeight - missingWeight;
  let leftSum = 0;
  let leftWeight = 0;
  for (let bin = 0; bin < bins; bin++) {
    const at = offset + bin;
    const weight = weights[at] ?? 0;
    if (weight === 0) continue;
    leftSum += sums[at] ?? 0;
    leftWeight += weight;
    weights[at] = 0;
    sums[at] = 0;
    if (leftWeight === presentWeight) {
      if (missingWeight === 0) return leftWeight !== weight;
      // All that is present lies to the left now, so the missing values can be parted from it.
      offer(best, feature, bins - 1, false, leftSum, leftWeight, totalSum, totalWeight, minLeaf);
      return true;
    }
    if (missingWeight === 0) {
      offer(
        best,
        feature,
        bin,
        leftWeight > totalWeight - leftWeight,
        leftSum,
        leftWeight,
        totalSum,
        totalWeight,
        minLeaf,
      );
    } else {
      offer(best, feature, bin, false, leftSum, leftWeight, totalSum, totalWeight, minLeaf);
      offer(best, feature, bin, true, leftSum + missingSum, leftWeight + missingWeight, totalSum, totalWeight, minLeaf);
    }
  }
  // Only missing values.
  return false;
}

function offer(
  best: Split,
  feature: number,
  cut: number,
  missingLeft: boolean,
  leftSum: number,
  leftWeight: number,
  totalSum: number,
  totalWeight: number,
  minLeaf: number,
): void {
  const rightWeight = totalWeight - leftWeight;
  if (leftWeight < minLeaf || rightWeight < minLeaf) return;
  const rightSum = totalSum - leftSum;
  const score = (leftSum * leftSum) / leftWeight + (rightSum * rightSum) / rightWeight;
  if (score <= best.score) return;
  best.feature = feature;
  best.cut = cut;
  best.missingLeft = missingLeft;
  best.score = score;
  best.leftSum = leftSum;
  best.leftWeight = leftWeight;
}
