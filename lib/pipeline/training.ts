import { createHash } from 'node:crypto';
import { LakeletError } from '../errors.ts';
import {
  encodeColumns,
  evaluate,
  evaluateMean,
  type FeatureColumn,
  type RegressionMetrics,
  takeRows,
  toOnnx,
  trainBaseline,
  trainForest,
} from '../forest/index.ts';
import type { ComparisonRun, HeldOut, TrainedModel } from '../mlflow/index.ts';
import { progress } from '../progress.ts';
import type { GoldEvent } from './events.ts';
import type { FeatureTable } from './features.ts';

/** The share of features that a split may choose from. */
const MAX_FEATURES = 1 / 3;

const EXAMPLE_ROWS = 5;

/** What is trained, and how. */
export type TrainingOptions = Pick<GoldEvent, 'trees' | 'maxDepth' | 'seed' | 'baseline'>;

/** A forest with all that is told of it. */
export interface Trained {
  readonly model: Omit<TrainedModel, 'name'>;
  readonly params: Readonly<Record<string, number>>;
  /** Scores on the held-out rows. */
  readonly metrics: RegressionMetrics;
  readonly heldOut: HeldOut;
  /** Rows that it learnt from. */
  readonly rows: number;
  /** From the first tree's beginning to the last one's end. */
  readonly seconds: number;
  /** What it is compared with: the mean of the rows learnt from, and ml-random-forest where that was asked for. */
  readonly comparisons: readonly ComparisonRun[];
}

/**
 * Trains a forest on the table's training rows and scores it on those held out.
 *
 * @throws LakeletError `TOO_FEW_ROWS`, and what the forest throws
 */
export async function train(table: FeatureTable, options: TrainingOptions, signal?: AbortSignal): Promise<Trained> {
  const { columns, target, train: rows, heldOut } = table;
  if (rows.length < 1 || heldOut.length < 2) {
    throw new LakeletError(
      'TOO_FEW_ROWS',
      `Silver has ${target.length} rows to learn from and to be scored on, ${rows.length} and ${heldOut.length} of them: a model needs at least 1 and 2. Deliver more rows.`,
    );
  }
  const { trees, maxDepth, seed } = options;
  const params = { trees, maxDepth, maxFeatures: MAX_FEATURES, seed };
  const started = performance.now();
  const forest = await trainForest(
    { columns, target, rows },
    {
      nEstimators: trees,
      maxDepth,
      maxFeatures: MAX_FEATURES,
      randomState: seed,
      onProgress: tellTrees,
      ...(signal !== undefined && { signal }),
    },
  );
  const seconds = (performance.now() - started) / 1000;
  const { matrix } = encodeColumns(forest.features, columns, heldOut);
  const actual = takeRows(target, heldOut);
  const predicted = forest.predictMatrix(matrix);
  return {
    model: {
      onnx: toOnnx(forest),
      features: forest.features,
      inputExample: exampleOf(matrix, columns.length),
      importances: forest.importances,
    },
    params,
    metrics: evaluate(actual, predicted),
    heldOut: {
      id: fingerprint(columns, heldOut, actual),
      rows: heldOut.length,
      features: matrix,
      target: actual,
      predicted,
    },
    rows: rows.length,
    seconds,
    comparisons: await compare(table, options),
  };
}

function tellTrees({ done, total }: { readonly done: number; readonly total: number }): void {
  progress({ step: 'gold/train', message: 'growing trees', rows: done, total, ...(done === total && { done: true }) });
}

async function compare(table: FeatureTable, { baseline, seed }: TrainingOptions): Promise<ComparisonRun[]> {
  const data = { columns: table.columns, target: table.target, rows: table.train };
  const mean = { name: 'mean', params: {}, metrics: { ...evaluateMean(data, table.heldOut) } };
  if (!baseline) return [mean];
  progress({ step: 'gold/baseline', message: 'training ml-random-forest on a sample' });
  const { metrics, seconds, ...params } = await trainBaseline(data, table.heldOut, { seed });
  progress({ step: 'gold/baseline', rows: params.trees, total: params.trees, done: true });
  return [mean, { name: 'ml-random-forest', params, metrics: { ...metrics, seconds } }];
}

/** The first held-out rows in which nothing is missing, as the model takes them. */
function exampleOf(matrix: Float32Array, width: number): number[][] {
  const rows = Array.from({ length: Math.min(1000, matrix.length / width) }, (_, row) => [
    ...matrix.subarray(row * width, (row + 1) * width),
  ]);
  const complete = rows.filter((row) => !row.some(Number.isNaN));
  return (complete.length > 0 ? complete : rows).slice(0, EXAMPLE_ROWS);
}

/** Says which rows were held out, with which values, whatever codes a model gives to their categories. */
function fingerprint(columns: readonly FeatureColumn[], heldOut: Uint32Array, target: Float64Array): string {
  const features = columns.map(({ name, ...column }) =>
    column.kind === 'numeric'
      ? { name, kind: column.kind }
      : { name, kind: column.kind, categories: column.categories.toSorted() },
  );
  return createHash('sha256')
    .update(JSON.stringify(features))
    .update(encodeColumns(features, columns, heldOut).matrix)
    .update(target)
    .digest('hex');
}
