import {
  errorBySegment,
  evaluateIntervals,
  type FeatureColumn,
  type IntervalMetrics,
  type LearningCurve,
  permutationImportance,
  type Segment,
  takeRows,
} from '../forest/index.ts';
import type { FeatureTable } from './features.ts';
import type { Scored } from './learner.ts';

/** A feature's permutation importances are told by so many held-out rows at most, each shuffled so often. */
const PERMUTED_ROWS = 1000;
const REPEATS = 3;

/** Categories of a feature whose errors are told apart, at most: those with the most rows. */
const SEGMENTS = 20;

/** What is told of a model beside its scores, from the rows that were held out of its training. */
export interface Findings {
  /** How much the RMSE rises where a feature's values are shuffled among the held-out rows, 1,000 of them at most. */
  readonly permutation: readonly { readonly name: string; readonly mean: number; readonly sd: number }[];
  /** The error by the values of each feature. */
  readonly segments: readonly {
    readonly column: string;
    readonly segment: string;
    readonly rows: number;
    readonly mae: number;
    /** The mean of predicted less actual. */
    readonly bias: number;
  }[];
  /** The error by the number of trees, where the training told it. */
  readonly curve?: LearningCurve;
  /** The held-out rows' intervals, where there were enough rows for any. */
  readonly intervals?: {
    /** The share of rows that an interval should hold. */
    readonly level: number;
    readonly lower: Float64Array;
    readonly upper: Float64Array;
    /** How they did on the held-out rows that had no part in making them. */
    readonly metrics: IntervalMetrics;
  };
}

/** The rows that the findings are made from. */
export interface HeldOutRows {
  readonly table: FeatureTable;
  /** The held-out rows, as the model takes them. */
  readonly matrix: Float32Array;
  readonly actual: Float64Array;
  /** Chooses the shuffles. */
  readonly seed: number;
}

/** Looks at a model on its held-out rows. */
export function findingsOf(scored: Scored, rows: HeldOutRows): Findings {
  const { learningCurve: curve } = scored.ensemble;
  const intervals = intervalsOf(scored, rows.actual);
  return {
    permutation: permutationOf(scored, rows),
    segments: rows.table.columns.flatMap((column) => segmentsOf(column, scored, rows)),
    ...(curve !== undefined && { curve }),
    ...(intervals !== undefined && { intervals }),
  };
}

function intervalsOf({ ensemble, predicted, intervals }: Scored, actual: Float64Array): Findings['intervals'] {
  if (ensemble.intervals === undefined || intervals === undefined) return undefined;
  const { lower, upper, judged } = intervals;
  const metrics = evaluateIntervals(takeRows(actual, judged), {
    predicted: takeRows(predicted, judged),
    lower: takeRows(lower, judged),
    upper: takeRows(upper, judged),
  });
  return { level: ensemble.intervals.coverage, lower, upper, metrics };
}

function permutationOf({ ensemble }: Scored, { matrix, actual, seed }: HeldOutRows): Findings['permutation'] {
  const width = ensemble.features.length;
  // Rows at one distance from each other, since the table may be sorted.
  const step = Math.max(1, Math.ceil(actual.length / PERMUTED_ROWS));
  const places = Uint32Array.from({ length: Math.ceil(actual.length / step) }, (_, at) => at * step);
  const rows = new Float32Array(places.length * width);
  for (const [at, place] of places.entries()) {
    rows.set(matrix.subarray(place * width, (place + 1) * width), at * width);
  }
  const options = { repeats: REPEATS, randomState: seed };
  return permutationImportance(ensemble, rows, takeRows(actual, places), options).map(
    ({ name, rmse, rmseDeviation }) => ({ name, mean: rmse, sd: rmseDeviation }),
  );
}

function segmentsOf(
  column: FeatureColumn,
  { predicted }: Scored,
  { table, actual }: HeldOutRows,
): Findings['segments'] {
  const found = errorBySegment(column, actual, predicted, { rows: table.heldOut });
  return found.slice(0, SEGMENTS).map((segment) => ({
    column: column.name,
    segment: segmentName(segment),
    rows: segment.rows,
    mae: segment.metrics.mae,
    bias: segment.bias,
  }));
}

function segmentName({ rowsOf }: Segment): string {
  switch (rowsOf.kind) {
    case 'category':
      return rowsOf.category;
    case 'range':
      return rowsOf.from === rowsOf.to ? figure(rowsOf.from) : `${figure(rowsOf.from)} to ${figure(rowsOf.to)}`;
    case 'missing':
      return '(missing)';
  }
}

function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}
