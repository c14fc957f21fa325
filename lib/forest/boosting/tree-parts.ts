import type { Tree } from '../tree.ts';

/** A boosted tree while it grows: its splits, and leaves without values. */
export class TreeParts {
  private readonly feature = [0];
  private readonly threshold = [0];
  private readonly left = [0];
  private readonly missingLeft = [0];

  /** Makes a leaf a split, and returns its left child; the right one is the next. */
  split(node: number, feature: number, threshold: number, missingLeft: boolean): number {
    const left = this.left.length;
    this.feature[node] = feature;
    this.threshold[node] = threshold;
    this.left[node] = left;
    this.missingLeft[node] = missingLeft ? 1 : 0;
    for (const parts of [this.feature, this.threshold, this.left, this.missingLeft]) parts.push(0, 0);
    return left;
  }

  /** The tree, its values all 0. */
  finish(): Tree {
    return {
      feature: Int32Array.from(this.feature),
      threshold: Float32Array.from(this.threshold),
      left: Int32Array.from(this.left),
      missingLeft: Uint8Array.from(this.missingLeft),
      value: new Float32Array(this.left.length),
    };
  }
}
