import { LakeletError, printable } from '../errors.ts';
import { randomStream, sampleIndices } from './random.ts';

/** The rows of a table in two parts, both in ascending order. */
export interface RowSplit {
  readonly train: Uint32Array;
  readonly heldOut: Uint32Array;
}

const HOLD_OUT_STREAM = -2;

/**
 * Holds out a seeded random share of the rows 0 … `rows` − 1, rounded to whole rows, but at least one on either side.
 * @throws LakeletError FOREST_INVALID_DATA for fewer than 2 rows, FOREST_INVALID_OPTION for a share outside (0, 1)
 */
export function splitRows(rows: number, heldOutShare: number, seed: number): RowSplit {
  checkShare(heldOutShare);
  if (!Number.isInteger(rows) || rows < 2) {
    throw new LakeletError('FOREST_INVALID_DATA', `There are ${rows} rows to split; give at least two.`);
  }
  const count = Math.min(rows - 1, Math.max(1, Math.round(rows * heldOutShare)));
  const heldOut = sampleIndices(rows, count, randomStream(seed, HOLD_OUT_STREAM));
  const train = new Uint32Array(rows - count);
  let next = 0;
  for (let row = 0; row < rows; row++) {
    if (heldOut[row - next] !== row) train[next++] = row;
  }
  return { train, heldOut };
}

/**
 * Checks a share of rows to hold out.
 * @throws LakeletError FOREST_INVALID_OPTION for one outside (0, 1)
 */
export function checkShare(heldOutShare: number): void {
  if (typeof heldOutShare === 'number' && heldOutShare > 0 && heldOutShare < 1) return;
  throw new LakeletError(
    'FOREST_INVALID_OPTION',
    `The share of rows to hold out is ${printable(String(heldOutShare), 80)}; give one between 0 and 1.`,
  );
}

/** Two lists of rows, ascending: those for which `isHeldOut` says true, and the others. */
export function splitWhere(rows: number, isHeldOut: (row: number) => boolean): RowSplit {
  const train = new Uint32Array(rows);
  const heldOut = new Uint32Array(rows);
  let kept = 0;
  let held = 0;
  for (let row = 0; row < rows; row++) {
    if (isHeldOut(row)) heldOut[held++] = row;
    else train[kept++] = row;
  }
  return { train: train.slice(0, kept), heldOut: heldOut.slice(0, held) };
}

/** The values of some rows, in the order of `rows`. */
export function takeRows(values: Float64Array, rows: Uint32Array | Int32Array): Float64Array {
  return Float64Array.from(rows, (row) => values[row] ?? Number.NaN);
}
