import { LakeletError, printable } from '../../errors.ts';
import type { TrainingData } from '../columns.ts';
import type { TreeEnsemble } from '../ensemble.ts';
import { bandOf, type IntervalCalibration, type IntervalPredictions } from '../intervals.ts';

/** Predictions for rows that the model did not learn from, and what came true; one entry a row. */
export interface CalibrationRows {
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  /** Of a forest: the standard deviation of the trees' predictions. */
  readonly spread?: Float64Array;
}

/** How intervals are calibrated. */
export interface CalibrationOptions {
  /** The share of rows whose actual value an interval is to hold; 0.9 by default. */
  readonly coverage?: number;
}

/** How good intervals are on rows that they were not calibrated on. */
export interface IntervalMetrics {
  /** The share of rows whose actual value lies within its interval. */
  readonly coverage: number;
  /** The mean of upper less lower, in the target's unit. */
  readonly meanWidth: number;
}

/** A band has at least so many rows, so that its quantiles stand on some of them. */
const BAND_ROWS = 100;
const MAX_BANDS = 20;

/**
 * Calibrates intervals on rows that the model did not learn from (conformal prediction: Vovk, Gammerman and Shafer 2005;
 * in bands: Mondrian regressors, Boström and Johansson 2020). The rows are cut at quantiles of a forest's spread, or of
 * the prediction, into at most 20 bands of at least 100 rows; in each, the interval reaches from one quantile of
 * (actual − predicted) to another. Where both ways are open, the one with the better interval score (Gneiting and
 * Raftery 2007) on these rows is taken. New rows that are like these fall within with the chance asked for, in each
 * band; with fewer than 2 / (1 − coverage) rows the interval is the range of errors met, and holds less.
 * @throws LakeletError FOREST_INVALID_DATA for no rows, other lengths, or values that are not finite; FOREST_INVALID_OPTION
 */
export function calibrateIntervals(rows: CalibrationRows, options: CalibrationOptions = {}): IntervalCalibration {
  const { coverage = 0.9 } = options;
  if (typeof coverage !== 'number' || !(coverage > 0 && coverage < 1)) {
    throw new LakeletError(
      'FOREST_INVALID_OPTION',
      `The coverage of intervals is ${printable(String(coverage), 80)}; give a share between 0 and 1.`,
    );
  }
  const { actual, predicted, spread } = rows;
  check(rows);
  const errors = actual.map((value, row) => value - (predicted[row] ?? 0));
  const byPredicted = calibrateBy('predicted', predicted, errors, coverage);
  if (spread === undefined) return byPredicted;
  const bySpread = calibrateBy('spread', spread, errors, coverage);
  return meanScore(bySpread, spread, errors) <= meanScore(byPredicted, predicted, errors) ? bySpread : byPredicted;
}

/**
 * Calibrates a forest's intervals on its own training rows, each predicted by those trees alone that did not learn from
 * it, so that no rows need be put aside. The forest is one that was trained on `data` with `oobScore`.
 * @throws LakeletError FOREST_INVALID_DATA where the forest has no such predictions, or they are not of these rows
 */
export function calibrateOutOfBag(
  forest: TreeEnsemble,
  data: TrainingData,
  options: CalibrationOptions = {},
): IntervalCalibration {
  const { outOfBag } = forest;
  if (outOfBag === undefined) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      'The model has no out-of-bag predictions to calibrate intervals on; train a forest with oobScore.',
    );
  }
  const count = data.rows?.length ?? data.target.length;
  if (outOfBag.predicted.length !== count) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      `The forest learnt from ${outOfBag.predicted.length} rows, but ${count} are given; give those it was trained on.`,
    );
  }
  const known = Uint32Array.from(outOfBag.predicted, (_, i) => i).filter((i) => !Number.isNaN(outOfBag.predicted[i]));
  return calibrateIntervals(
    {
      actual: Float64Array.from(known, (i) => data.target[data.rows?.[i] ?? i] ?? Number.NaN),
      predicted: Float64Array.from(known, (i) => outOfBag.predicted[i] ?? Number.NaN),
      spread: Float64Array.from(known, (i) => outOfBag.spread[i] ?? Number.NaN),
    },
    options,
  );
}

/**
 * Which share of the actual values lies within their intervals, and how wide these are.
 * @throws LakeletError FOREST_INVALID_DATA for no rows or another length
 */
export function evaluateIntervals(actual: Float64Array, intervals: IntervalPredictions): IntervalMetrics {
  const { lower, upper } = intervals;
  check({ actual, predicted: lower, spread: upper });
  let within = 0;
  let width = 0;
  for (let row = 0; row < actual.length; row++) {
    const [value = 0, low = 0, high = 0] = [actual[row], lower[row], upper[row]];
    if (low <= value && value <= high) within++;
    width += high - low;
  }
  return { coverage: within / actual.length, meanWidth: width / actual.length };
}

function calibrateBy(
  by: IntervalCalibration['by'],
  scale: Float64Array,
  errors: Float64Array,
  coverage: number,
): IntervalCalibration {
  const rows = errors.length;
  const sorted = scale.toSorted();
  const bands = Math.max(1, Math.min(MAX_BANDS, Math.floor(rows / BAND_ROWS)));
  const edges: number[] = [];
  for (let band = 1; band < bands; band++) {
    const edge = sorted[Math.floor((band * rows) / bands) - 1] ?? 0;
    // Rows of one scale, as of trees that all agree, stay in one band.
    if (edge !== edges.at(-1) && edge !== sorted[rows - 1]) edges.push(edge);
  }
  const members = Array.from({ length: edges.length + 1 }, (): number[] => []);
  const upperEdges = Float64Array.from(edges);
  for (let row = 0; row < rows; row++) members[bandOf(scale[row] ?? 0, upperEdges)]?.push(errors[row] ?? 0);
  const ends = members.map((values) => endsOf(Float64Array.from(values).sort(), coverage));
  return {
    coverage,
    rows,
    by,
    edges,
    lower: ends.map(({ lower }) => lower),
    upper: ends.map(({ upper }) => upper),
  };
}

/** The errors between which the next one falls with the chance asked for: of n sorted ones, ranks of n + 1. */
function endsOf(sorted: Float64Array, coverage: number): { lower: number; upper: number } {
  const next = sorted.length + 1;
  const outside = Math.max(1, Math.floor((next * (1 - coverage)) / 2 + 1e-9));
  return { lower: sorted[outside - 1] ?? 0, upper: sorted[sorted.length - outside] ?? 0 };
}

/** An interval's width, and 2 / (1 − coverage) times what an actual value lies outside; the mean over the rows. */
function meanScore(calibration: IntervalCalibration, scale: Float64Array, errors: Float64Array): number {
  const { coverage, lower, upper } = calibration;
  const edges = Float64Array.from(calibration.edges);
  let sum = 0;
  for (let row = 0; row < errors.length; row++) {
    const band = bandOf(scale[row] ?? 0, edges);
    const [error = 0, low = 0, high = 0] = [errors[row], lower[band], upper[band]];
    sum += high - low + (2 / (1 - coverage)) * (Math.max(0, low - error) + Math.max(0, error - high));
  }
  return sum / errors.length;
}

function check({ actual, predicted, spread = predicted }: CalibrationRows): void {
  if (actual.length === 0) throw new LakeletError('FOREST_INVALID_DATA', 'There are no rows; give at least one.');
  if (predicted.length !== actual.length || spread.length !== actual.length) {
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      `There are ${predicted.length} and ${spread.length} values for ${actual.length} actual ones; give one for each.`,
    );
  }
  for (let row = 0; row < actual.length; row++) {
    if (Number.isFinite(actual[row]) && Number.isFinite(predicted[row]) && Number.isFinite(spread[row])) continue;
    throw new LakeletError(
      'FOREST_INVALID_DATA',
      `Row ${row} holds ${actual[row]}, ${predicted[row]} and ${spread[row]}; leave out rows that are not finite.`,
    );
  }
}
