import { LakeletError } from '../../errors.ts';
import { studentTail } from './student.ts';

/** Whether one model's errors are smaller than another's on the same rows, and how sure that is. */
export interface PairedTest {
  /** How many rows were compared. */
  readonly rows: number;
  /** The mean, over the rows, of their squared error less ours, in the target's unit squared: above 0 where ours is better. */
  readonly difference: number;
  /** The standard error of `difference`; 0 where all rows differ alike, and for one row. */
  readonly standardError: number;
  /** The chance of a difference as great or greater if the models were equally good (one-sided). */
  readonly pValue: number;
  /** Ours is better: `pValue` is below 0.05. */
  readonly better: boolean;
}

/** Below this chance a difference is held to be real. */
const LEVEL = 0.05;

/**
 * Tests on held-out rows whether our predictions have a smaller squared error than theirs: Student's one-sided test of
 * paired differences (for forecasts, Diebold and Mariano 1995). It takes the rows to be independent; where many come
 * from one customer or one day, it is surer of itself than it should be. Squared errors are not normal, which many rows
 * make good; for few, the chance is never put below 2⁻ⁿ, which is the least that a test by signs could reach, so fewer
 * than 5 rows never show a model to be better.
 * @throws LakeletError FOREST_INVALID_DATA for no rows, different lengths, or values that are not finite
 */
export function pairedTest(actual: Float64Array, ours: Float64Array, theirs: Float64Array): PairedTest {
  const rows = actual.length;
  if (rows === 0) throw new LakeletError('FOREST_INVALID_DATA', 'There are no rows to compare on; give at least one.');
  if (ours.length !== rows || theirs.length !== rows) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      `There are ${ours.length} and ${theirs.length} predictions for ${rows} actual values; give one of each model for each.`,
    );
  }
  const differences = new Float64Array(rows);
  let difference = 0;
  for (let row = 0; row < rows; row++) {
    const value = actual[row] ?? Number.NaN;
    const gained = (value - (theirs[row] ?? Number.NaN)) ** 2 - (value - (ours[row] ?? Number.NaN)) ** 2;
    if (!Number.isFinite(gained)) {
      throw new LakeletError(
        'FOREST_INVALID_DATA',
        `Row ${row} compares ${value} with ${ours[row]} and ${theirs[row]}; leave out rows that are not finite.`,
      );
    }
    differences[row] = gained;
    difference += gained / rows;
  }
  let squares = 0;
  for (const gained of differences) squares += (gained - difference) ** 2;
  const standardError = rows > 1 ? Math.sqrt(squares / (rows - 1) / rows) : 0;
  const pValue = chanceOf(difference, standardError, rows);
  return { rows, difference, standardError, pValue, better: pValue < LEVEL };
}

function chanceOf(difference: number, standardError: number, rows: number): number {
  // Nothing speaks for models that are equal on every row, nor for one that is worse on each by as much.
  if (standardError === 0 && difference <= 0) return 1;
  const tail = standardError === 0 ? 0 : studentTail(difference / standardError, rows - 1);
  return Math.max(tail, 2 ** -rows);
}
