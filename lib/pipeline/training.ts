import { createHash } from 'node:crypto';
import { LakeletError } from '../errors.ts';
import {
  encodeColumns,
  evaluate,
  type FeatureColumn,
  type Forest,
  type RegressionMetrics,
  toOnnx,
  trainForest,
} from '../forest/index.ts';
import type { ComparisonRun, TrainedModel } from '../mlflow/index.ts';
import { progress } from '../progress.ts';
import type { GoldEvent } from './events.ts';
import { type FeatureTable, takeRows } from './features.ts';

/** The share of features that a split may choose from. */
const MAX_FEATURES = 1 / 3;

const EXAMPLE_ROWS = 5;

/** How the forest is grown. */
export type GrowingOptions = Pick<GoldEvent, 'trees' | 'maxDepth' | 'seed'>;

/** A forest with all that is told of it. */
export interface Trained {
  readonly model: Omit<TrainedModel, 'name'>;
  readonly params: Readonly<Record<string, number>>;
  /** Scores on the held-out rows. */
  readonly metrics: RegressionMetrics;
  readonly heldOut: {
    readonly id: string;
    readonly rows: number;
    readonly features: Float32Array;
    readonly target: Float64Array;
  };
  readonly rows: number;
  /** From the first tree's beginning to the last one's end. */
  readonly seconds: number;
  /** What predicts without learning: the mean of the rows learnt from. */
  readonly mean: ComparisonRun;
}

/**
 * Trains a forest on the table's training rows and scores it on those held out.
 *
 * @throws LakeletError `TOO_FEW_ROWS`, and what the forest throws
 */
export async function train(table: FeatureTable, options: GrowingOptions, signal?: AbortSignal): Promise<Trained> {
  const { columns, target, train: rows, heldOut } = table;
  if (rows.length < 1 || heldOut.length < 2) {
    throw new LakeletError(
      'TOO_FEW_ROWS',
      `Silver has ${target.length} rows with a target, of which ${rows.length} to learn from and ${heldOut.length} held out: a model needs at least 1 and 2. Deliver more rows.`,
    );
  }
  const params = { trees: options.trees, maxDepth: options.maxDepth, maxFeatures: MAX_FEATURES, seed: options.seed };
  const started = performance.now();
  const forest = await trainForest(
    { columns, target, rows },
    {
      ...params,
      ...(signal !== undefined && { signal }),
      onProgress: ({ done, total }) =>
        progress({
          step: 'gold/train',
          message: 'growing trees',
          rows: done,
          total,
          ...(done === total && { done: true }),
        }),
    },
  );
  const seconds = (performance.now() - started) / 1000;
  const unseen = takeRows(columns, heldOut);
  const actual = Float64Array.from(heldOut, (row) => target[row] ?? Number.NaN);
  const { matrix } = encodeColumns(forest.features, unseen);
  return {
    model: {
      onnx: toOnnx(forest),
      features: forest.features,
      inputExample: exampleOf(matrix, forest),
      importances: forest.importances,
    },
    params,
    metrics: evaluate(actual, forest.predictMatrix(matrix)),
    heldOut: { id: fingerprint(unseen, actual), rows: heldOut.length, features: matrix, target: actual },
    rows: rows.length,
    seconds,
    mean: {
      name: 'mean',
      params: {},
      metrics: { ...evaluate(actual, new Float64Array(actual.length).fill(meanOf(target, rows))) },
    },
  };
}

/** The first held-out rows in which nothing is missing, as the model takes them. */
function exampleOf(matrix: Float32Array, { features }: Forest): number[][] {
  const width = features.length;
  const rows = Array.from({ length: Math.min(1000, matrix.length / width) }, (_, row) => [
    ...matrix.subarray(row * width, (row + 1) * width),
  ]);
  const complete = rows.filter((row) => !row.some(Number.isNaN));
  return (complete.length > 0 ? complete : rows).slice(0, EXAMPLE_ROWS);
}

/** Says which rows were held out, with which values: a hash of all of them, by the categories' names. */
function fingerprint(columns: readonly FeatureColumn[], target: Float64Array): string {
  const hash = createHash('sha256');
  for (const column of columns) {
    hash.update(JSON.stringify([column.name, column.kind === 'categorical' ? column.categories : null]));
    hash.update(column.kind === 'numeric' ? column.values : column.codes);
  }
  return hash.update(target).digest('hex');
}

function meanOf(values: Float64Array, rows: Uint32Array): number {
  let mean = 0;
  for (const [at, row] of rows.entries()) mean += ((values[row] ?? 0) - mean) / (at + 1);
  return mean;
}
