/**
 * One regression tree as parallel arrays, one entry a node; node 0 is the root. A node with a left child sends a row
 * there where `x[feature] <= threshold` (or where x is missing and `missingLeft` is 1), else to the next node,
 * `left + 1`. A node whose `left` is 0 is a leaf.
 */
export interface Tree {
  readonly feature: Int32Array;
  /** 32-bit floats, as in the ONNX file. */
  readonly threshold: Float32Array;
  readonly left: Int32Array;
  readonly missingLeft: Uint8Array;
  /** The mean target of a leaf's rows; 0 in the other nodes. */
  readonly value: Float32Array;
}

/** What makes a node a leaf, where it is its own left child: every bin is at most this. */
const STAY = 255;

/** A tree while it grows: its arrays double when they are full. */
export class TreeBuilder {
  private size = 0;
  private feature = new Int32Array(1024);
  private threshold = new Float32Array(1024);
  private left = new Int32Array(1024);
  private missingLeft = new Uint8Array(1024);
  private value = new Float32Array(1024);
  private cut = new Uint8Array(1024);

  /** Starts a new tree that has only its root. */
  restart(): void {
    this.size = 1;
    this.left[0] = 0;
  }

  /** Makes a node a leaf. */
  setLeaf(node: number, value: number): void {
    this.feature[node] = 0;
    this.threshold[node] = 0;
    this.left[node] = 0;
    this.missingLeft[node] = 0;
    this.value[node] = value;
  }

  /** Makes a node a split, whose threshold is the edge of bin `cut`, and returns its left child; the right one is the next. */
  setSplit(node: number, feature: number, threshold: number, cut: number, missingLeft: boolean): number {
    const left = this.size;
    this.size += 2;
    if (this.size > this.feature.length) this.double();
    this.feature[node] = feature;
    this.threshold[node] = threshold;
    this.cut[node] = cut;
    this.left[node] = left;
    this.missingLeft[node] = missingLeft ? 1 : 0;
    this.value[node] = 0;
    return left;
  }

  /** A copy of the finished tree. */
  finish(): Tree {
    const { size } = this;
    return {
      feature: this.feature.slice(0, size),
      threshold: this.threshold.slice(0, size),
      left: this.left.slice(0, size),
      missingLeft: this.missingLeft.slice(0, size),
      value: this.value.slice(0, size),
    };
  }

  /** The nodes of the finished tree by bins instead of thresholds, two words each: see kernel/assembly/leaves.ts. */
  binned(): Uint32Array<ArrayBuffer> {
    const { size, left, feature, missingLeft, cut } = this;
    const words = new Uint32Array(size * 2);
    for (let node = 0; node < size; node++) {
      const child = left[node] ?? 0;
      const missing = missingLeft[node] ?? 0;
      words[2 * node] = child === 0 ? node : child;
      words[2 * node + 1] =
        child === 0 ? STAY : ((feature[node] ?? 0) << 9) | (missing << 8) | ((cut[node] ?? 0) + missing);
    }
    return words;
  }

  private double(): void {
    const length = this.feature.length * 2;
    const grown = {
      feature: new Int32Array(length),
      threshold: new Float32Array(length),
      left: new Int32Array(length),
      missingLeft: new Uint8Array(length),
      value: new Float32Array(length),
      cut: new Uint8Array(length),
    };
    grown.feature.set(this.feature);
    grown.threshold.set(this.threshold);
    grown.left.set(this.left);
    grown.missingLeft.set(this.missingLeft);
    grown.value.set(this.value);
    grown.cut.set(this.cut);
    Object.assign(this, grown);
  }
}
