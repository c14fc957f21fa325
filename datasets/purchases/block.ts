/**
 * Records in a block; as many as DuckDB takes at once. A record depends on the seed and on its own block, and on nothing
 * else.
 */
export const BLOCK_ROWS = 2048;

/** What stands for "not known" in {@link Block}'s integer columns; NaN does so in its floating-point ones. */
export const UNKNOWN = -1_000_000;

/** A block's records, a column an array. Words are places in the lists of pools.ts, for misspelt ones in `spellings()`. */
export interface Block {
  /** The number of its first record. */
  readonly first: number;
  /** How many records of the arrays are filled. */
  readonly count: number;
  /** The number of the record that delivered the purchase first; its own, unless it is delivered again. */
  readonly purchase: Int32Array;
  readonly customer: Int32Array;
  /** Seconds since 1970, as `updatedAt`. */
  readonly purchasedAt: Int32Array;
  readonly updatedAt: Int32Array;
  readonly age: Int32Array;
  readonly income: Float64Array;
  readonly education: Int32Array;
  readonly city: Int32Array;
  readonly category: Int32Array;
  readonly product: Int32Array;
  readonly payment: Int32Array;
  readonly quantity: Int32Array;
  readonly unitPrice: Float64Array;
  readonly amount: Float64Array;
}

/** A block whose records are still to be filled in. */
export function emptyBlock(block: number, count: number): Block {
  return {
    first: block * BLOCK_ROWS,
    count,
    purchase: new Int32Array(count),
    customer: new Int32Array(count),
    purchasedAt: new Int32Array(count),
    updatedAt: new Int32Array(count),
    age: new Int32Array(count),
    income: new Float64Array(count),
    education: new Int32Array(count),
    city: new Int32Array(count),
    category: new Int32Array(count),
    product: new Int32Array(count),
    payment: new Int32Array(count),
    quantity: new Int32Array(count),
    unitPrice: new Float64Array(count),
    amount: new Float64Array(count),
  };
}
