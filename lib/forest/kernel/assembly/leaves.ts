// Which leaves of a tree rows fall into, by their bins, and what the leaves say of them.
//
// A node is 8 bytes: its left child (the right one is the next), and a word of its cut (8 bits), whether missing values
// go left (1 bit) and its feature (the rest). Where they do, bins and cut are moved up by one, and the missing bin comes
// round to 0. A leaf is its own left child, and its cut lets every bin go left, so that rows that are there stay there
// while others are still on their way.

/** Of a scored row: its actual value, Σ predictions, Σ their squares, its last squared error, and how many there are. */
const SCORE_BYTES: usize = 40;

/** The node after `node` for the row whose bins lie at `row`. */
// @ts-expect-error: decorators of functions are AssemblyScript's
@inline
function step(nodes: usize, node: u32, row: usize): u32 {
  const at = nodes + (<usize>node << 3);
  const word = load<u32>(at, 4);
  const bin = <u32>load<u8>(row + <usize>(word >> 9));
  return load<u32>(at) + <u32>(((bin + ((word >> 8) & 1)) & 255) > (word & 255));
}

// @ts-expect-error: as above
@inline
function binsOf(rows: usize, lane: usize, bins: usize, stride: usize): usize {
  return bins + <usize>load<u32>(rows + (lane << 2)) * stride;
}

/**
 * Lists the rows `from` … `to` − 1 (`from` a multiple of 8) whose bit in `drawn` is 0, and the nodes where they end
 * (u32 each; both lists have room for seven more); returns how many there are. Eight rows go down at once: each waits
 * for memory at every step, and so they wait together.
 */
function leavesOfUndrawn(
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
  // The group of eight that the last ones are in is made up with a row that is there.
  for (let i = count; i < count + 7; i++) store<u32>(rows + (<usize>i << 2), from);
  for (let i: u32 = 0; i < count; i += 8) {
    const at = rows + (<usize>i << 2);
    const rowA = binsOf(at, 0, bins, stride);
    const rowB = binsOf(at, 1, bins, stride);
    const rowC = binsOf(at, 2, bins, stride);
    const rowD = binsOf(at, 3, bins, stride);
    const rowE = binsOf(at, 4, bins, stride);
    const rowF = binsOf(at, 5, bins, stride);
    const rowG = binsOf(at, 6, bins, stride);
    const rowH = binsOf(at, 7, bins, stride);
    let a: u32 = 0;
    let b: u32 = 0;
    let c: u32 = 0;
    let d: u32 = 0;
    let e: u32 = 0;
    let f: u32 = 0;
    let g: u32 = 0;
    let h: u32 = 0;
    for (;;) {
      const nextA = step(nodes, a, rowA);
      const nextB = step(nodes, b, rowB);
      const nextC = step(nodes, c, rowC);
      const nextD = step(nodes, d, rowD);
      const nextE = step(nodes, e, rowE);
      const nextF = step(nodes, f, rowF);
      const nextG = step(nodes, g, rowG);
      const nextH = step(nodes, h, rowH);
      const moved =
        (nextA ^ a) |
        (nextB ^ b) |
        (nextC ^ c) |
        (nextD ^ d) |
        (nextE ^ e) |
        (nextF ^ f) |
        (nextG ^ g) |
        (nextH ^ h);
      if (moved == 0) break;
      a = nextA;
      b = nextB;
      c = nextC;
      d = nextD;
      e = nextE;
      f = nextF;
      g = nextG;
      h = nextH;
    }
    const into = leaves + (<usize>i << 2);
    store<u32>(into, a);
    store<u32>(into, b, 4);
    store<u32>(into, c, 8);
    store<u32>(into, d, 12);
    store<u32>(into, e, 16);
    store<u32>(into, f, 20);
    store<u32>(into, g, 24);
    store<u32>(into, h, 28);
  }
  return count;
}

/**
 * Lets the rows `from` … `to` − 1 that a tree did not draw be predicted by it: adds its leaves (f32 `values` by node,
 * less `mean`) to their scores (f64 × 5, of which the first row's lie at `scores`). `totals` (f64 × 2) keeps, over these
 * rows, Σ squared errors of their mean predictions so far, and how many have any. `rows` and `leaves` are room for
 * lists of u32, with seven to spare.
 */
export function scoreUndrawn(
  nodes: usize,
  values: usize,
  mean: f64,
  bins: usize,
  stride: usize,
  drawn: usize,
  from: u32,
  to: u32,
  rows: usize,
  leaves: usize,
  scores: usize,
  totals: usize,
): void {
  const count = <usize>leavesOfUndrawn(nodes, bins, stride, drawn, from, to, rows, leaves);
  let squared = load<f64>(totals);
  let scored = load<f64>(totals, 8);
  for (let i: usize = 0; i < count; i++) {
    const at = scores + <usize>(load<u32>(rows + (i << 2)) - from) * SCORE_BYTES;
    const value = <f64>load<f32>(values + (<usize>load<u32>(leaves + (i << 2)) << 2)) - mean;
    const sum = load<f64>(at, 8) + value;
    const known = load<f64>(at, 32);
    const error = sum / (known + 1) - load<f64>(at);
    if (known > 0) squared -= load<f64>(at, 24);
    else scored += 1;
    squared += error * error;
    store<f64>(at, sum, 8);
    store<f64>(at, load<f64>(at, 16) + value * value, 16);
    store<f64>(at, error * error, 24);
    store<f64>(at, known + 1, 32);
  }
  store<f64>(totals, squared);
  store<f64>(totals, scored, 8);
}
