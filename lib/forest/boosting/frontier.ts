/** What can be ordered by how much splitting it would gain. */
export interface Gaining {
  readonly node: number;
  readonly gain: number;
}

/** The nodes of a tree that may still be split, the one of greatest gain first; of equal gains the older node. A binary heap. */
export class Frontier<Node extends Gaining> {
  private readonly heap: Node[] = [];

  /** The nodes in no order. */
  get nodes(): readonly Node[] {
    return this.heap;
  }

  add(node: Node): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(node);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(node, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = node;
  }

  /** Removes and returns the first node. */
  take(): Node | undefined {
    const { heap } = this;
    const first = heap[0];
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const nearer = right !== undefined && left !== undefined && before(right, left) ? 2 * at + 2 : 2 * at + 1;
      const child = heap[nearer];
      if (child === undefined || !before(child, moved)) break;
      heap[at] = child;
      at = nearer;
    }
    heap[at] = moved;
    return first;
  }

  clear(): void {
    this.heap.length = 0;
  }
}

function before(a: Gaining, b: Gaining): boolean {
  return a.gain > b.gain || (a.gain === b.gain && a.node < b.node);
}
