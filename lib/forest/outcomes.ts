import { weightedQuantile } from './quantile.ts';

/** The sums over a node's outcomes, and the quantile of its targets. */
export interface Outcomes {
  readonly quantile: number;
  readonly sum: number;
}

/**
 * What a forest of quantiles splits by in place of the target (generalized random forests; Athey, Tibshirani and Wager
 * 2019, section 4): how the quantile's own condition is met by each row of the node. A row below the node's quantile
 * counts share − 1, one above it counts share, and those that meet it what makes the sum 0; a split that parts low
 * outcomes from high ones has children whose quantiles lie far apart.
 */
export class OutcomeWriter {
  private readonly values: Float64Array;
  private readonly weights: Float64Array;
  private readonly share: number;

  /** For trees of up to `rows` rows; `share` is the quantile wanted, .5 for the median. */
  constructor(rows: number, share: number) {
    this.values = new Float64Array(rows);
    this.weights = new Float64Array(rows);
    this.share = share;
  }

  /** The quantile of the targets of the rows listed from `from` to `to` − 1, each by its weight. */
  quantile(target: Float64Array, index: Uint32Array, sums: Float64Array, from: number, to: number): number {
    const { values, weights } = this;
    for (let i = from; i < to; i++) {
      values[i - from] = target[index[i] ?? 0] ?? 0;
      weights[i - from] = sums[2 * i + 1] ?? 0;
    }
    return weightedQuantile(values, weights, to - from, this.share);
  }

  /** Writes the outcomes of a node's rows, times their weights, into their sums. */
  write(target: Float64Array, index: Uint32Array, sums: Float64Array, from: number, to: number): Outcomes {
    const quantile = this.quantile(target, index, sums, from, to);
    let others = 0;
    let equal = 0;
    for (let i = from; i < to; i++) {
      const value = target[index[i] ?? 0] ?? 0;
      const weight = sums[2 * i + 1] ?? 0;
      if (value === quantile) equal += weight;
      else others += weight * (value < quantile ? this.share - 1 : this.share);
    }
    const met = equal > 0 ? -others / equal : 0;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const value = target[index[i] ?? 0] ?? 0;
      const outcome = value === quantile ? met : value < quantile ? this.share - 1 : this.share;
      const product = outcome * (sums[2 * i + 1] ?? 0);
      sums[2 * i] = product;
      sum += product;
    }
    return { quantile, sum };
  }
}
