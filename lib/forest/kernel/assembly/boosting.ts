// Gradient boosting: histograms of whole numbers, splits by gain, and what a round does with all rows.
//
// A bin is 16 bytes: the sum of its rows' gradients (i64), and a packed word (i64) of their weights above `countBits`
// bits that count the rows. Gradients and weights are whole numbers in units that the caller chooses, so that sums do
// not depend on the order of their terms, and a child taken from its parent leaves exactly its sibling.

/** Rows of a block that is walked once for each group of features: its rows' bins stay in the nearest cache. */
const BLOCK_ROWS: i32 = 1024;
const BIN_SHIFT: usize = 4;

// @ts-expect-error: functions have decorators in AssemblyScript
@inline
function add(bin: usize, row: v128): void {
  v128.store(bin, i64x2.add(v128.load(bin), row));
}

// @ts-expect-error: as above
@inline
function group(
  size: i32,
  weighted: bool,
  index: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  gradients: usize,
  weights: usize,
  countBits: i64,
  offsets: usize,
  histogram: usize,
): void {
  const h0 = histogram + <usize>load<u32>(offsets);
  const h1 = size > 1 ? histogram + <usize>load<u32>(offsets, 4) : 0;
  const h2 = size > 2 ? histogram + <usize>load<u32>(offsets, 8) : 0;
  const h3 = size > 3 ? histogram + <usize>load<u32>(offsets, 12) : 0;
  const one = i64x2(0, 1);
  const end = index + (<usize>to << 2);
  for (let at = index + (<usize>from << 2); at < end; at += 4) {
    const row = <usize>load<u32>(at);
    const bin = bins + row * stride;
    let values = i64x2.replace_lane(one, 0, <i64>load<i32>(gradients + (row << 2)));
    if (weighted) values = i64x2.replace_lane(values, 1, ((<i64>load<u32>(weights + (row << 2))) << countBits) | 1);
    add(h0 + (<usize>load<u8>(bin) << BIN_SHIFT), values);
    if (size > 1) add(h1 + (<usize>load<u8>(bin, 1) << BIN_SHIFT), values);
    if (size > 2) add(h2 + (<usize>load<u8>(bin, 2) << BIN_SHIFT), values);
    if (size > 3) add(h3 + (<usize>load<u8>(bin, 3) << BIN_SHIFT), values);
  }
}

// @ts-expect-error: as above
@inline
function blocks(
  weighted: bool,
  index: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  gradients: usize,
  weights: usize,
  countBits: i64,
  offsets: usize,
  features: i32,
  histogram: usize,
): void {
  const groups = (features + 3) >> 2;
  for (let start = from; start < to; start += BLOCK_ROWS) {
    const end = min(to, start + BLOCK_ROWS);
    let feature = 0;
    for (let left = groups; left > 0; left--) {
      // Groups of about one size: nine features are 3 + 3 + 3, not 4 + 4 + 1.
      const size = (features - feature + left - 1) / left;
      const b = bins + <usize>feature;
      const o = offsets + (<usize>feature << 2);
      if (size == 4) group(4, weighted, index, start, end, b, stride, gradients, weights, countBits, o, histogram);
      else if (size == 3) group(3, weighted, index, start, end, b, stride, gradients, weights, countBits, o, histogram);
      else if (size == 2) group(2, weighted, index, start, end, b, stride, gradients, weights, countBits, o, histogram);
      else group(1, weighted, index, start, end, b, stride, gradients, weights, countBits, o, histogram);
      feature += size;
    }
  }
}

/**
 * Makes the histograms of all features over the rows `index[from]` … `index[to − 1]`, which take `bytes` together.
 * `offsets` holds where each feature's begins, in bytes; `weights` is 0 where all rows weigh the same.
 */
export function boostingHistogram(
  index: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  gradients: usize,
  weights: usize,
  countBits: i32,
  offsets: usize,
  features: i32,
  histogram: usize,
  bytes: usize,
): void {
  memory.fill(histogram, 0, bytes);
  if (weights == 0) blocks(false, index, from, to, bins, stride, gradients, 0, 0, offsets, features, histogram);
  else blocks(true, index, from, to, bins, stride, gradients, weights, countBits, offsets, features, histogram);
}

/** Brings rows into the order of two children, each ascending as before; returns where the right one starts. */
export function boostingPartition(
  index: usize,
  aside: usize,
  from: i32,
  to: i32,
  bins: usize,
  stride: usize,
  cut: i32,
  missing: i32,
): i32 {
  let left = index + (<usize>from << 2);
  let right = aside;
  const end = index + (<usize>to << 2);
  for (let at = left; at < end; at += 4) {
    const row = load<u32>(at);
    const bin = <i32>load<u8>(bins + <usize>row * stride);
    // Written to both sides, and only one moves on: a branch here would be mispredicted half of the time.
    const goesLeft = <usize>(<i32>(bin <= cut) | <i32>(bin == missing));
    store<u32>(left, row);
    store<u32>(right, row);
    left += goesLeft << 2;
    right += (1 - goesLeft) << 2;
  }
  memory.copy(left, aside, right - aside);
  return <i32>((left - index) >> 2);
}

/** Adds the threads' histograms of one feature, `apart` bytes from each other, into one. */
export function boostingMerge(into: usize, histograms: usize, apart: usize, threads: i32, bins: i32): void {
  const bytes = <usize>bins << BIN_SHIFT;
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = v128.load(histograms + at);
    for (let thread = 1; thread < threads; thread++)
      sum = i64x2.add(sum, v128.load(histograms + at + <usize>thread * apart));
    v128.store(into + at, sum);
  }
}

/** Takes one child's histogram of a feature from its parent's, which becomes the other child's. */
export function boostingSubtract(parent: usize, child: usize, bins: i32): void {
  const end = parent + (<usize>bins << BIN_SHIFT);
  for (let at = parent, from = child; at < end; at += 16, from += 16)
    v128.store(at, i64x2.sub(v128.load(at), v128.load(from)));
}

/** The score of a pair of children: Σ gradients² / (weight + l2), more is better. */
// @ts-expect-error: as above
@inline
function pairScore(left: f64, right: f64, leftWeight: f64, rightWeight: f64): f64 {
  const sums = f64x2(left, right);
  const ratio = f64x2.div(f64x2.mul(sums, sums), f64x2(leftWeight, rightWeight));
  return f64x2.extract_lane(ratio, 0) + f64x2.extract_lane(ratio, 1);
}

// @ts-expect-error: as above
@inline
function offer(
  sum: i64,
  packed: i64,
  total: usize,
  countBits: i64,
  countMask: i64,
  l2: f64,
  minLeaf: i64,
  cut: i32,
  missingLeft: i32,
  best: f64,
  out: usize,
): f64 {
  const restSum = load<i64>(total) - sum;
  const rest = load<i64>(total, 8) - packed;
  if ((packed & countMask) < minLeaf || (rest & countMask) < minLeaf) return best;
  const score = pairScore(
    <f64>sum,
    <f64>restSum,
    <f64>(packed >> countBits) + l2,
    <f64>(rest >> countBits) + l2,
  );
  if (score <= best) return best;
  store<f64>(out, score);
  store<i64>(out, sum, 8);
  store<i64>(out, packed, 16);
  store<i32>(out, cut, 24);
  store<i32>(out, missingLeft, 28);
  return score;
}

/**
 * The best split of a node by one feature, whose histogram has `bins` bins and then that of the missing values. `total`
 * is the node's own sum and packed word. Where the node has missing values, each cut is tried with them on either side,
 * and so is the cut that parts them from all the others; where it has none, they go the way of most rows.
 *
 * Writes 32 bytes at `out`: score (f64; −∞ where there is no split), the left child's sum and packed word, cut (i32),
 * and whether missing values go left (i32).
 */
export function boostingSearch(
  histogram: usize,
  bins: i32,
  total: usize,
  countBits: i32,
  l2: f64,
  minLeaf: i32,
  out: usize,
): void {
  const bits = <i64>countBits;
  const mask: i64 = bits == 0 ? -1 : (1 << bits) - 1;
  const least = <i64>minLeaf;
  const missing = histogram + (<usize>bins << BIN_SHIFT);
  const missingSum = load<i64>(missing);
  const missingPacked = load<i64>(missing, 8);
  const all = load<i64>(total, 8);
  const present = all - missingPacked;
  let best = -Infinity;
  store<f64>(out, best);
  let sum: i64 = 0;
  let packed: i64 = 0;
  for (let bin = 0; bin < bins; bin++) {
    const at = histogram + (<usize>bin << BIN_SHIFT);
    const here = load<i64>(at, 8);
    if (here == 0) continue;
    sum += load<i64>(at);
    packed += here;
    if (packed == present) {
      // All that is present lies to the left now, so the missing values can be parted from it.
      if (missingPacked != 0) offer(sum, packed, total, bits, mask, l2, least, bins - 1, 0, best, out);
      return;
    }
    if (missingPacked == 0) {
      const most = <i32>(2 * (packed & mask) > (all & mask));
      best = offer(sum, packed, total, bits, mask, l2, least, bin, most, best, out);
    } else {
      best = offer(sum, packed, total, bits, mask, l2, least, bin, 0, best, out);
      best = offer(sum + missingSum, packed + missingPacked, total, bits, mask, l2, least, bin, 1, best, out);
    }
  }
}

/** Takes a leaf's value from the residuals of its rows; returns the greatest size of a residual times its weight. */
export function boostingUpdate(
  index: usize,
  from: i32,
  to: i32,
  residuals: usize,
  weights: usize,
  weightUnit: f64,
  value: f64,
): f64 {
  let greatest: f64 = 0;
  const end = index + (<usize>to << 2);
  for (let at = index + (<usize>from << 2); at < end; at += 4) {
    const row = <usize>load<u32>(at);
    const place = residuals + (row << 3);
    const residual = load<f64>(place) - value;
    store<f64>(place, residual);
    const size = abs(weights == 0 ? residual : residual * (<f64>load<u32>(weights + (row << 2)) * weightUnit));
    greatest = max(greatest, size);
  }
  return greatest;
}

/**
 * Writes the gradients of the rows `index[0]` … `index[count − 1]`, residual × weight × `scale` rounded to a whole
 * number, and their sum and packed word (16 bytes) at `total`.
 */
export function boostingGradients(
  index: usize,
  count: i32,
  residuals: usize,
  weights: usize,
  weightUnit: f64,
  countBits: i32,
  scale: f64,
  gradients: usize,
  total: usize,
): void {
  let sum: i64 = 0;
  let packed: i64 = 0;
  const end = index + (<usize>count << 2);
  for (let at = index; at < end; at += 4) {
    const row = <usize>load<u32>(at);
    let product = load<f64>(residuals + (row << 3)) * scale;
    let word: i64 = 1;
    if (weights != 0) {
      const weight = load<u32>(weights + (row << 2));
      product *= <f64>weight * weightUnit;
      word |= <i64>weight << <i64>countBits;
    }
    const gradient = <i32>nearest(product);
    store<i32>(gradients + (row << 2), gradient);
    sum += <i64>gradient;
    packed += word;
  }
  store<i64>(total, sum);
  store<i64>(total, packed, 8);
}

/**
 * Lists the rows of one thread, in ascending order: of blocks of `blockRows` each `threads`-th one, from block `thread`
 * on. Rows that follow each other may be alike (sorted by time), so no thread gets a stretch of its own. Returns how many.
 */
export function boostingRows(index: usize, rows: i32, blockRows: i32, thread: i32, threads: i32): i32 {
  let at = index;
  for (let start: i64 = <i64>thread * blockRows; start < <i64>rows; start += <i64>threads * blockRows) {
    const end = min(<i64>rows, start + blockRows);
    for (let row = start; row < end; row++, at += 4) store<u32>(at, <u32>row);
  }
  return <i32>((at - index) >> 2);
}

/**
 * Waits until all threads are here: for a while by looking (threads are apart by microseconds, and sleeping costs
 * more), then asleep. Two words at `words`: how many are here, and how often all were.
 */
export function boostingMeet(words: usize, threads: i32, looks: i32): void {
  const before = atomic.load<i32>(words, 4);
  if (atomic.add<i32>(words, 1) == threads - 1) {
    atomic.store<i32>(words, 0);
    atomic.add<i32>(words, 1, 4);
    atomic.notify(words + 4, -1);
    return;
  }
  for (let look = 0; look < looks; look++) if (atomic.load<i32>(words, 4) != before) return;
  while (atomic.load<i32>(words, 4) == before) atomic.wait<i32>(words + 4, before, -1);
}

/**
 * Writes the bins of `rows` values (f32) of a feature: how many of its `count` ascending `edges` lie below, or the bin
 * after those for NaN. `bins` is where the first row's bin is to stand, the next one `stride` further.
 */
export function boostingBin(
  values: usize,
  rows: i32,
  edges: usize,
  count: i32,
  bins: usize,
  stride: usize,
): void {
  for (let row = 0; row < rows; row++, bins += stride) {
    const value = load<f32>(values + (<usize>row << 2));
    let low = 0;
    // Without a branch, which would be mispredicted at each step: the search always takes the same number of steps.
    for (let left = count; left > 0; ) {
      const half = (left + 1) >> 1;
      low = load<f32>(edges + (<usize>(low + half - 1) << 2)) < value ? low + half : low;
      left -= half;
    }
    store<u8>(bins, value == value ? low : count + 1);
  }
}
