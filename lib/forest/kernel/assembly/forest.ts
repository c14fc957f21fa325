// What a forest does at each node of a tree: sums its rows by bin, looks for the best split, and parts the rows.
//
// A row of a tree has a place in three lists that are parted together: its number (u32), what it adds up to (f64 sum of
// its target by weight, f64 weight), and, where rows have weights, how often it was drawn (u32). Without weights the
// weight is that number. A bin of a histogram is like a row's sums, 16 bytes; a feature has 256 bins, the last for
// missing values. Sums are made in the order of the rows, so that they are the same on every machine.

const HISTOGRAM_BYTES: usize = 4096;
const COUNTS_BYTES: usize = 1024;
const MISSING: i32 = 255;
/** In nodes of fewer rows than this, bins that are not empty are noted, and only they are looked at. */
const FEW_ROWS: i32 = 192;
const ALL_BINS: u64 = 0xffffffffffffffff;

// @ts-expect-error: decorators of functions are AssemblyScript's
@inline
function add(bin: usize, row: v128): void {
  v128.store(bin, f64x2.add(v128.load(bin), row));
}

/** Adds rows to the histograms of up to three features, `size` of them, in one pass. */
// @ts-expect-error: as above
@inline
function accumulate(
  size: i32,
  index: usize,
  sums: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  features: usize,
  histogram: usize,
): void {
  const a = bins + <usize>load<u32>(features);
  const b = size > 1 ? bins + <usize>load<u32>(features, 4) : 0;
  const c = size > 2 ? bins + <usize>load<u32>(features, 8) : 0;
  for (let i = <usize>from; i < <usize>to; i++) {
    const row = <usize>load<u32>(index + (i << 2)) * stride;
    const values = v128.load(sums + (i << 4));
    add(histogram + (<usize>load<u8>(a + row) << 4), values);
    if (size > 1) add(histogram + HISTOGRAM_BYTES + (<usize>load<u8>(b + row) << 4), values);
    if (size > 2) add(histogram + 2 * HISTOGRAM_BYTES + (<usize>load<u8>(c + row) << 4), values);
  }
}

/** Adds few rows to one feature's histogram, and notes in four words which bins they lie in. */
// @ts-expect-error: as above
@inline
function accumulateFew(
  index: usize,
  sums: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  histogram: usize,
  occupied: usize,
): void {
  v128.store(occupied, i64x2.splat(0));
  v128.store(occupied, i64x2.splat(0), 16);
  for (let i = <usize>from; i < <usize>to; i++) {
    const bin = <usize>load<u8>(bins + <usize>load<u32>(index + (i << 2)) * stride);
    add(histogram + (bin << 4), v128.load(sums + (i << 4)));
    const word = occupied + ((bin >> 6) << 3);
    store<u64>(word, load<u64>(word) | ((<u64>1) << (<u64>bin & 63)));
  }
}

/** Adds how often rows were drawn to one feature's counts. */
function accumulateDrawn(
  index: usize,
  drawn: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  counts: usize,
): void {
  for (let i = <usize>from; i < <usize>to; i++) {
    const at = counts + (<usize>load<u8>(bins + <usize>load<u32>(index + (i << 2)) * stride) << 2);
    store<u32>(at, load<u32>(at) + load<u32>(drawn + (i << 2)));
  }
}

/**
 * Keeps a split where it is better than the best so far. `left` and `total` hold sum and weight; a split's score is the
 * sum over both sides of sum² / weight (CART's variance reduction, less what is the same for all splits).
 */
// @ts-expect-error: as above
@inline
function offer(
  best: usize,
  feature: i32,
  cut: i32,
  missingLeft: bool,
  left: v128,
  leftCount: f64,
  total: v128,
  totalCount: f64,
  minLeaf: f64,
): void {
  if (leftCount < minLeaf || totalCount - leftCount < minLeaf) return;
  const right = f64x2.sub(total, left);
  const sums = v128.shuffle<f64>(left, right, 0, 2);
  const scores = f64x2.div(f64x2.mul(sums, sums), v128.shuffle<f64>(left, right, 1, 3));
  const score = f64x2.extract_lane(scores, 0) + f64x2.extract_lane(scores, 1);
  // Not a number, or below: a side whose weight was lost in rounding is no side.
  if (!(score > load<f64>(best)) || !(f64x2.extract_lane(right, 1) > 0)) return;
  store<f64>(best, score);
  v128.store(best, left, 8);
  store<f64>(best, leftCount, 24);
  store<i32>(best, feature, 32);
  store<i32>(best, cut, 36);
  store<i32>(best, <i32>missingLeft, 40);
}

/**
 * Looks through one feature's histogram for a better split, and clears it. Where the node has missing values, each cut
 * is tried with them on either side, and so is the one that parts them from all others; where it has none, they go the
 * way of most rows. Returns whether the node's rows lie in more than one bin.
 */
function search(
  histogram: usize,
  counts: usize,
  occupied: usize,
  binCount: i32,
  feature: i32,
  total: v128,
  totalCount: f64,
  minLeaf: f64,
  best: usize,
): bool {
  const missingAt = histogram + (<usize>MISSING << 4);
  const missing = v128.load(missingAt);
  let missingCount = f64x2.extract_lane(missing, 1);
  v128.store(missingAt, i64x2.splat(0));
  if (counts) {
    missingCount = <f64>load<u32>(counts + (<usize>MISSING << 2));
    store<u32>(counts + (<usize>MISSING << 2), 0);
  }
  const presentCount = totalCount - missingCount;
  let left = i64x2.splat(0);
  let leftCount: f64 = 0;
  for (let first = 0; first < binCount; first += 64) {
    let bits = occupied ? load<u64>(occupied + (<usize>first >> 3)) : ALL_BINS;
    const last = binCount - first;
    if (last < 64) bits &= ((<u64>1) << <u64>last) - 1;
    while (bits) {
      const bin = first + <i32>ctz(bits);
      bits &= bits - 1;
      const at = histogram + (<usize>bin << 4);
      const values = v128.load(at);
      let count = f64x2.extract_lane(values, 1);
      if (count == 0) continue;
      left = f64x2.add(left, values);
      v128.store(at, i64x2.splat(0));
      if (counts) {
        count = <f64>load<u32>(counts + (<usize>bin << 2));
        store<u32>(counts + (<usize>bin << 2), 0);
      }
      leftCount += count;
      if (leftCount == presentCount) {
        if (missingCount == 0) return leftCount != count;
        // All that is present lies to the left now, so the missing values can be parted from it.
        offer(best, feature, binCount - 1, false, left, leftCount, total, totalCount, minLeaf);
        return true;
      }
      if (missingCount == 0) {
        offer(best, feature, bin, leftCount > totalCount - leftCount, left, leftCount, total, totalCount, minLeaf);
      } else {
        offer(best, feature, bin, false, left, leftCount, total, totalCount, minLeaf);
        const beside = f64x2.add(left, missing);
        offer(best, feature, bin, true, beside, leftCount + missingCount, total, totalCount, minLeaf);
      }
    }
  }
  return false;
}

/**
 * Looks for the best split of the rows `from` … `to` − 1 among `size` (1 to 3) features, and returns whether any of
 * them takes more than one bin there. `features` are their numbers and `binCounts` how many bins each feature has
 * beside that of missing values (u32). `scratch` is 16 KiB of zeros, and left so. `best` (44 bytes): score, left sum,
 * left weight, left count (f64), feature, cut, and whether missing values go left (i32).
 */
export function forestSearch(
  index: usize,
  sums: usize,
  drawn: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  features: usize,
  size: i32,
  binCounts: usize,
  scratch: usize,
  totalSum: f64,
  totalWeight: f64,
  totalCount: f64,
  minLeaf: f64,
  best: usize,
): bool {
  const counts = scratch + 3 * HISTOGRAM_BYTES;
  const occupied = counts + COUNTS_BYTES;
  const few = to - from < FEW_ROWS;
  if (!few) {
    if (size == 3) accumulate(3, index, sums, from, to, bins, stride, features, scratch);
    else if (size == 2) accumulate(2, index, sums, from, to, bins, stride, features, scratch);
    else accumulate(1, index, sums, from, to, bins, stride, features, scratch);
  }
  const total = f64x2.replace_lane(f64x2.splat(totalSum), 1, totalWeight);
  let varied = false;
  for (let i = 0; i < size; i++) {
    const feature = load<u32>(features + (<usize>i << 2));
    const histogram = scratch + <usize>i * HISTOGRAM_BYTES;
    if (few) accumulateFew(index, sums, from, to, bins + feature, stride, histogram, occupied);
    if (drawn) accumulateDrawn(index, drawn, from, to, bins + feature, stride, counts);
    const binCount = load<u32>(binCounts + ((<usize>feature) << 2));
    if (
      search(
        histogram,
        drawn ? counts : 0,
        few ? occupied : 0,
        binCount,
        feature,
        total,
        totalCount,
        minLeaf,
        best,
      )
    )
      varied = true;
  }
  return varied;
}

/**
 * Brings a node's rows into the order of its children, each as they were, and returns where the right one starts.
 * `bins` is the address of the split feature's bin in row 0; `missing` is 255 where missing values go left, else −1.
 * The lists aside have room for the node's rows. `drawn` is 0 without weights.
 */
export function forestPartition(
  index: usize,
  sums: usize,
  drawn: usize,
  indexAside: usize,
  sumsAside: usize,
  drawnAside: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  cut: i32,
  missing: i32,
): i32 {
  let left = <usize>from;
  let right: usize = 0;
  for (let i = <usize>from; i < <usize>to; i++) {
    const row = load<u32>(index + (i << 2));
    const values = v128.load(sums + (i << 4));
    const bin = <i32>load<u8>(bins + <usize>row * stride);
    const goesLeft = <usize>(bin <= cut) | <usize>(bin == missing);
    // Written to both sides, and only one moves on: a branch here would be mispredicted half of the time.
    store<u32>(index + (left << 2), row);
    v128.store(sums + (left << 4), values);
    store<u32>(indexAside + (right << 2), row);
    v128.store(sumsAside + (right << 4), values);
    if (drawn) {
      const times = load<u32>(drawn + (i << 2));
      store<u32>(drawn + (left << 2), times);
      store<u32>(drawnAside + (right << 2), times);
    }
    left += goesLeft;
    right += 1 - goesLeft;
  }
  memory.copy(index + (left << 2), indexAside, right << 2);
  memory.copy(sums + (left << 4), sumsAside, right << 4);
  if (drawn) memory.copy(drawn + (left << 2), drawnAside, right << 2);
  return <i32>left;
}
