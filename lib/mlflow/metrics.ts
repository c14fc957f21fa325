import type { MetricCurve, TrainingRecord } from './training.ts';

/** Most points of a curve that are logged. */
const CURVE_POINTS = 100;

/** One value of a metric as MLflow's API takes it. */
export interface MetricPoint {
  readonly key: string;
  readonly value: number | string;
  /** Milliseconds since 1970 (UTC). */
  readonly timestamp: number;
  readonly step: number;
}

/** The run's metrics, each at step 0. */
export function metricPoints({ metrics, endedAt }: Pick<TrainingRecord, 'metrics' | 'endedAt'>): MetricPoint[] {
  return Object.entries(metrics).map(([key, value]) => ({
    key,
    value: metricValue(value),
    timestamp: endedAt,
    step: 0,
  }));
}

/**
 * The curves' points, the number of trees being the step: at most 100 of each, spread evenly, the first and the last
 * among them. Where there was no value yet there is no point.
 */
export function curvePoints(curves: readonly MetricCurve[], endedAt: number): MetricPoint[] {
  return curves.flatMap(({ name, values }) =>
    thinned(values).map(({ step, value }) => ({ key: name, value: metricValue(value), timestamp: endedAt, step })),
  );
}

function thinned(values: readonly number[]): { step: number; value: number }[] {
  const points = values.flatMap((value, at) => (Number.isNaN(value) ? [] : [{ step: at + 1, value }]));
  const last = points.length - 1;
  if (last < CURVE_POINTS) return points;
  return Array.from({ length: CURVE_POINTS }, (_, at) => Math.round((at * last) / (CURVE_POINTS - 1))).flatMap(
    (at) => points[at] ?? [],
  );
}

/** Protobuf's JSON for numbers that JSON lacks: `"NaN"`, `"Infinity"`, `"-Infinity"`. */
function metricValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
