import { LakeletError } from '../../errors.ts';
import { checkShare, type RowSplit, splitWhere } from '../rows.ts';

/**
 * Holds out the latest share of the rows, so that a model is scored on what came after all that it learnt from. Rows of
 * one time stay together: of the two cuts around theirs, the one nearer to the share is taken. `times` may be of any
 * unit; rows without one (NaN) are learnt from.
 * @throws LakeletError FOREST_INVALID_DATA where there are no two different times, FOREST_INVALID_OPTION for a share outside (0, 1)
 */
export function splitByTime(times: Float64Array, heldOutShare: number): RowSplit {
  checkShare(heldOutShare);
  const sorted = times.filter((time) => !Number.isNaN(time)).sort();
  const wanted = Math.round(times.length * heldOutShare);
  const cut = cutAfter(sorted, sorted.length - wanted);
  const last = sorted[cut - 1] ?? 0;
  return splitWhere(times.length, (row) => (times[row] ?? Number.NaN) > last);
}

/**
 * Folds that go forward in time (forward chaining): the rows are cut into `folds` + 1 spans of about as many rows each,
 * and each span but the first is held out of a training on all the spans before it. Rows without a time (NaN) are learnt
 * from in every fold; rows of one time stay together.
 * @throws LakeletError FOREST_INVALID_DATA where there are too few different times for so many folds, FOREST_INVALID_OPTION for less than 2 folds
 */
export function foldByTime(times: Float64Array, folds: number): RowSplit[] {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new LakeletError('FOREST_INVALID_OPTION', `The number of folds is ${String(folds)}; give 2 or more.`);
  }
  const sorted = times.filter((time) => !Number.isNaN(time)).sort();
  const cuts = Array.from({ length: folds }, (_, fold) =>
    cutAfter(sorted, Math.round((sorted.length * (fold + 1)) / (folds + 1))),
  );
  return cuts.map((cut, fold) => {
    const next = cuts[fold + 1] ?? sorted.length;
    if (next <= cut) {
      throw new LakeletError(
        'FOREST_INVALID_DATA',
        `The rows' times are too few to be cut into ${folds + 1} spans; ask for fewer folds.`,
      );
    }
    const last = sorted[cut - 1] ?? 0;
    const end = sorted[next - 1] ?? 0;
    const split = splitWhere(times.length, (row) => (times[row] ?? Number.NaN) > last);
    return {
      train: split.train,
      heldOut: split.heldOut.filter((row) => (times[row] ?? Number.NaN) <= end),
    };
  });
}

/** The place nearest to `wanted` where one time ends and the next begins, in sorted times. */
function cutAfter(sorted: Float64Array, wanted: number): number {
  const isCut = (at: number): boolean => at > 0 && at < sorted.length && sorted[at - 1] !== sorted[at];
  for (let distance = 0; distance < sorted.length; distance++) {
    if (isCut(wanted + distance)) return wanted + distance;
    if (isCut(wanted - distance)) return wanted - distance;
  }
  throw new LakeletError(
    'FOREST_INVALID_DATA',
    'The rows do not have two different times; split them at random, or give another column.',
  );
}
