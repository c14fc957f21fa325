// Which leaves of a tree rows fall into, by their bins.
//
// A node is 8 bytes: its left child (the right one is the next), and a word of its cut (8 bits), whether missing values
// go left (1 bit) and its feature (the rest). A leaf is its own left child, and its cut lets every bin go left, so that
// rows that are there stay there while others are still on their way.

const MISSING: u32 = 255;

/** The node after `node` for the row whose bins lie at `row`. */
// @ts-expect-error: decorators of functions are AssemblyScript's
@inline
function step(nodes: usize, node: u32, row: usize): u32 {
  const at = nodes + (<usize>node << 3);
  const word = load<u32>(at, 4);
  const bin = <u32>load<u8>(row + <usize>(word >> 9));
  const goesLeft = <u32>(bin <= (word & 255)) | (<u32>(bin == MISSING) & (word >> 8) & 1);
  return load<u32>(at) + 1 - goesLeft;
}

/**
 * Lists the rows `from` … `to` − 1 (`from` a multiple of 8) whose bit in `drawn` is 0, and the nodes where they end
 * (u32 each; both lists have room for three more); returns how many there are. Four rows go down at once: each waits
 * for memory at every step, and so they wait together.
 */
export function leavesOfUndrawn(
  nodes: usize,
  bins: usize,
  stride: usize,
  drawn: usize,
  from: u32,
  to: u32,
  rows: usize,
  leaves: usize,
): u32 {
  let count: u32 = 0;
  for (let row = from; row < to; row++) {
    store<u32>(rows + (<usize>count << 2), row);
    count += 1 ^ ((<u32>load<u8>(drawn + <usize>(row >> 3)) >> (row & 7)) & 1);
  }
  // The group of four that the last ones are in is made up with a row that is there.
  for (let i = count; i < count + 3; i++) store<u32>(rows + (<usize>i << 2), from);
  for (let i: u32 = 0; i < count; i += 4) {
    const at = rows + (<usize>i << 2);
    const rowA = bins + <usize>load<u32>(at) * stride;
    const rowB = bins + <usize>load<u32>(at, 4) * stride;
    const rowC = bins + <usize>load<u32>(at, 8) * stride;
    const rowD = bins + <usize>load<u32>(at, 12) * stride;
    let a: u32 = 0;
    let b: u32 = 0;
    let c: u32 = 0;
    let d: u32 = 0;
    for (;;) {
      const nextA = step(nodes, a, rowA);
      const nextB = step(nodes, b, rowB);
      const nextC = step(nodes, c, rowC);
      const nextD = step(nodes, d, rowD);
      if (((nextA ^ a) | (nextB ^ b) | (nextC ^ c) | (nextD ^ d)) == 0) break;
      a = nextA;
      b = nextB;
      c = nextC;
      d = nextD;
    }
    const into = leaves + (<usize>i << 2);
    store<u32>(into, a);
    store<u32>(into, b, 4);
    store<u32>(into, c, 8);
    store<u32>(into, d, 12);
  }
  return count;
}
