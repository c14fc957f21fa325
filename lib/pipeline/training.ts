import { createHash } from 'node:crypto';
import { LakeletError } from '../errors.ts';
import {
  encodeColumns,
  evaluate,
  evaluateMean,
  type FeatureColumn,
  type RegressionMetrics,
  type TreeEnsemble,
  takeRows,
  toOnnx,
  trainBaseline,
} from '../forest/index.ts';
import type { ComparisonRun, HeldOut, TrainedModel } from '../mlflow/index.ts';
import { progress } from '../progress.ts';
import type { GoldEvent } from './events.ts';
import type { FeatureTable } from './features.ts';
import { type Findings, findingsOf } from './findings.ts';
import { learn, score } from './learner.ts';

const EXAMPLE_ROWS = 5;

/** What is trained, and how. */
export type TrainingOptions = Pick<GoldEvent, 'algorithm' | 'trees' | 'maxDepth' | 'seed' | 'baseline'>;

/** A model with all that is told of it. */
export interface Trained {
  readonly model: Omit<TrainedModel, 'name'>;
  /** The model itself. */
  readonly ensemble: TreeEnsemble;
  readonly algorithm: GoldEvent['algorithm'];
  readonly trees: number;
  /** By scikit-learn's own names. */
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** Scores on the held-out rows. */
  readonly metrics: RegressionMetrics;
  readonly heldOut: HeldOut & { readonly target: Float64Array; readonly predicted: Float64Array };
  /** What the held-out rows tell beside the scores. */
  readonly findings: Findings;
  /** How the held-out rows were chosen, in words. */
  readonly split: string;
  /** The SQL that chose the rows that it learnt from. */
  readonly predicate: string;
  /** Rows that it learnt from. */
  readonly rows: number;
  /** From the first tree's beginning to the last one's end. */
  readonly seconds: number;
  /** What it is compared with: the mean of the rows learnt from, and ml-random-forest where that was asked for. */
  readonly comparisons: readonly ComparisonRun[];
}

/**
 * Trains a model on the table's training rows and scores it on those held out.
 *
 * @throws LakeletError `TOO_FEW_ROWS`, and what the forest and the boosting throw
 */
export async function train(table: FeatureTable, options: TrainingOptions, signal?: AbortSignal): Promise<Trained> {
  const { columns, target, train: rows, heldOut } = table;
  if (rows.length < 1 || heldOut.length < 2) {
    throw new LakeletError(
      'TOO_FEW_ROWS',
      `Silver has ${target.length} rows to learn from and to be scored on, ${rows.length} and ${heldOut.length} of them: a model needs at least 1 and 2. Deliver more rows.`,
    );
  }
  const data = { columns, target, rows };
  const learnt = await learn(data, options, signal);
  const { matrix } = encodeColumns(learnt.ensemble.features, columns, heldOut);
  const actual = takeRows(target, heldOut);
  const scored = score(learnt, data, matrix, actual);
  const { ensemble, predicted } = scored;
  return {
    model: {
      onnx: toOnnx(ensemble),
      features: ensemble.features,
      inputExample: exampleOf(matrix, columns.length),
      importances: ensemble.importances,
    },
    ensemble,
    algorithm: options.algorithm,
    trees: ensemble.trees.length,
    params: learnt.params,
    metrics: evaluate(actual, predicted),
    heldOut: {
      id: fingerprint(columns, heldOut, actual),
      rows: heldOut.length,
      features: matrix,
      target: actual,
      predicted,
    },
    findings: findingsOf(scored, { table, matrix, actual, seed: options.seed }),
    split: table.split,
    predicate: table.predicate,
    rows: rows.length,
    seconds: learnt.seconds,
    comparisons: await compare(table, options),
  };
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
