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

/** A tree while it grows: its arrays double when they are full. */
export class TreeBuilder {
  private size = 0;
  private feature = new Int32Array(1024);
  private threshold = new Float32Array(1024);
  private left = new Int32Array(1024);
  private missingLeft = new Uint8Array(1024);
  private value = new Float32Array(1024);

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

  /** Makes a node a split, and returns its left child; the right one is the next. */
  setSplit(node: number, feature: number, threshold: number, missingLeft: boolean): number {
    const left = this.size;
    this.size += 2;
    if (this.size > this.feature.length) this.double();
    this.feature[node] = feature;
    this.threshold[node] = threshold;
    this.left[node] = left;
    this.missingLeft[node] = missingLeft ? 1 : 0;
    this.value[node] = 0;
    return left;
  }

  /** A copy of the finished tree, in shared memory where other threads are to read it. */
  finish(shared = false): Tree {
    const { size } = this;
    const tree = shared ? sharedArrays(size) : ownArrays(size);
    tree.feature.set(this.feature.subarray(0, size));
    tree.threshold.set(this.threshold.subarray(0, size));
    tree.left.set(this.left.subarray(0, size));
    tree.missingLeft.set(this.missingLeft.subarray(0, size));
    tree.value.set(this.value.subarray(0, size));
    return tree;
  }

  private double(): void {
    const grown = ownArrays(this.feature.length * 2);
    grown.feature.set(this.feature);
    grown.threshold.set(this.threshold);
    grown.left.set(this.left);
    grown.missingLeft.set(this.missingLeft);
    grown.value.set(this.value);
    Object.assign(this, grown);
  }
}

function ownArrays(nodes: number) {
  return {
    feature: new Int32Array(nodes),
    threshold: new Float32Array(nodes),
    left: new Int32Array(nodes),
    missingLeft: new Uint8Array(nodes),
    value: new Float32Array(nodes),
  };
}

function sharedArrays(nodes: number): Tree {
  return {
    feature: new Int32Array(new SharedArrayBuffer(nodes * 4)),
    threshold: new Float32Array(new SharedArrayBuffer(nodes * 4)),
    left: new Int32Array(new SharedArrayBuffer(nodes * 4)),
    missingLeft: new Uint8Array(new SharedArrayBuffer(nodes)),
    value: new Float32Array(new SharedArrayBuffer(nodes * 4)),
  };
}
