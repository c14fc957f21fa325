/**
 * What turns a prediction into an interval: the errors that the model made on rows that it had not learnt from, cut into
 * bands of rows that are alike. It is plain data, and stands in the model's file.
 */
export interface IntervalCalibration {
  /** The share of rows whose actual value the interval is to hold, in (0, 1). */
  readonly coverage: number;
  /** How many rows it was calibrated on. */
  readonly rows: number;
  /** What tells a row's band: the standard deviation of a forest's trees there, or the prediction itself. */
  readonly by: 'spread' | 'predicted';
  /** Ascending; band b holds the rows with edges[b − 1] < value ≤ edges[b], and the last one, which has no edge, those above. */
  readonly edges: readonly number[];
  /** For each band, what the interval's lower end is above the prediction (mostly below 0). */
  readonly lower: readonly number[];
  /** For each band, what its upper end is above the prediction. */
  readonly upper: readonly number[];
}

/** Predictions with the intervals around them, one entry a row. */
export interface IntervalPredictions {
  readonly predicted: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** The intervals around predictions; `scale` is what the calibration goes by, a number a row. */
export function intervalsAround(
  calibration: IntervalCalibration,
  predicted: Float64Array,
  scale: Float64Array,
): IntervalPredictions {
  const edges = Float64Array.from(calibration.edges);
  const lower = new Float64Array(predicted.length);
  const upper = new Float64Array(predicted.length);
  for (let row = 0; row < predicted.length; row++) {
    const band = bandOf(scale[row] ?? 0, edges);
    lower[row] = (predicted[row] ?? 0) + (calibration.lower[band] ?? 0);
    upper[row] = (predicted[row] ?? 0) + (calibration.upper[band] ?? 0);
  }
  return { predicted, lower, upper };
}

/** How many edges lie below a value. */
export function bandOf(value: number, edges: Float64Array): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= (edges[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
