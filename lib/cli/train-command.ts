import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { fileLiteral } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import {
  calibrateOutOfBag,
  crossValidate,
  encodeColumns,
  evaluate,
  evaluateIntervals,
  evaluateMean,
  type RegressionMetrics,
  type TrainingData,
  type TreeEnsemble,
  takeRows,
  toOnnx,
} from '../forest/index.ts';
import { progress } from '../progress.ts';
import { commaSeparated, wholeNumber } from './arguments.ts';
import { examples, lakeOf, lakeOption, type Outside } from './command.ts';
import { writeObject } from './output.ts';
import { drawProgress } from './progress-line.ts';
import { replaceFile } from './result-file.ts';
import { sourceOf } from './source.ts';
import { withSql } from './sql-session.ts';
import { addModelOptions, type ModelOptions, refuseOtherOptions, trainModel } from './train-options.ts';
import { foldTable, type SplitBy, splitOption, splitTable } from './train-split.ts';
import { readTrainTable, type TrainTable } from './train-table.ts';

interface TrainOptions extends ModelOptions {
  readonly target: string;
  readonly features?: readonly string[];
  readonly weight?: string;
  readonly split: SplitBy;
  readonly cv?: number;
  readonly output: string;
  readonly lake?: string;
}

/** `lakelet train`: a model of a file's or a SELECT's rows, scored on a held-out fifth and written as ONNX. */
export function trainCommand(outside: Outside): Command {
  const command = new Command('train')
    .description('train a model on a file or on SQL, score it on a held-out fifth, and write it as ONNX')
    .argument('<file|sql>', 'a Parquet, CSV or JSON file, or SQL over the lake')
    .requiredOption('--target <col>', 'the column to predict, a number')
    .option('--features <a,b>', 'the columns to learn from (default: all others, in their order)', commaSeparated);
  return addModelOptions(command)
    .option('--weight <col>', 'the column that says how much a row counts, to learn from and to be no feature')
    .option<SplitBy>(
      '--split <split>',
      'what is held out: random, time:COL (the latest) or group:COL (whole groups)',
      splitOption,
      { by: 'random' },
    )
    .option('--cv <k>', 'cross-validate in so many folds as well', wholeNumber(2, 1000))
    .option('--output <file>', 'where the model is written: a file, or s3://bucket/key', 'model.onnx')
    .addOption(lakeOption())
    .addHelpText(
      'after',
      examples(
        'lakelet train houses.csv --target price',
        'lakelet train "FROM silver.purchases" --target purchase_amount --features age,income,education,product_category',
        'lakelet train houses.parquet --target price --algorithm boosting --early-stopping --output houses.onnx',
        'lakelet train sales.csv --target amount --split time:sold_at --cv 5',
      ),
    )
    .action((source: string, options: TrainOptions, action: Command) => {
      refuseOtherOptions(action, options.algorithm);
      return train(source, options, outside);
    });
}

async function train(source: string, options: TrainOptions, outside: Outside): Promise<void> {
  const { console } = outside;
  const stopDrawing = drawProgress(console);
  const results: object[] = [];
  try {
    const table = await read(source, options, outside);
    await replaceFile(options.output, async (file) => {
      // Who can't write there is told before the training, not after it.
      await writeFile(file, '');
      const { model, ...told } = await trained(table, options, outside);
      await writeFile(file, toOnnx(model));
      results.push({ ...told, output: options.output });
    });
  } catch (error) {
    if (!outside.signal.aborted) throw error;
    throw new LakeletError('INTERRUPTED', 'The training was stopped before its end, and no model was written', {
      cause: error,
    });
  } finally {
    stopDrawing();
  }
  for (const result of results) await writeObject(console, 'json', result, () => []);
}

async function read(source: string, options: TrainOptions, outside: Outside): Promise<TrainTable> {
  const { signal } = outside;
  progress({ step: 'read', message: 'reading the rows' });
  const found = await sourceOf(source);
  const table = await withSql(lakeOf(outside, options.lake), [], async ({ engine, attach }) => {
    const interrupt = (): void => engine.connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      signal.throwIfAborted();
      const select = 'sql' in found ? found.sql : `FROM read_parquet(${fileLiteral(found.parquet)})`;
      await attach(select, signal);
      return await readTrainTable(engine, select, options);
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  });
  progress({ step: 'read', rows: table.target.length, done: true });
  return table;
}

/** A model, and what is told of it. */
interface Told extends RegressionMetrics {
  readonly model: TreeEnsemble;
  readonly [name: string]: unknown;
}

async function trained(table: TrainTable, options: TrainOptions, { signal }: Outside): Promise<Told> {
  const { columns, target, weights, splitColumn, leftOut } = table;
  const { split, seed, algorithm } = options;
  const data: TrainingData = { columns, target, ...(weights !== undefined && { weights }) };
  const { train: rows, heldOut } = splitTable(split, target.length, splitColumn, seed);
  const started = performance.now();
  const grown = await trainModel({ ...data, rows }, options, { signal, onProgress: tellTrees });
  const seconds = (performance.now() - started) / 1000;
  const scored = grown.outOfBag?.predicted.some((value) => !Number.isNaN(value)) === true;
  const model = scored ? grown.withIntervals(calibrateOutOfBag(grown, { ...data, rows })) : grown;
  const actual = takeRows(target, heldOut);
  const { matrix } = encodeColumns(model.features, columns, heldOut);
  const predicted = model.predictMatrix(matrix);
  return {
    model,
    ...evaluate(actual, predicted),
    seconds,
    rows: rows.length,
    trees: model.trees.length,
    algorithm,
    target: options.target,
    features: model.features.map(({ name }) => name),
    heldOut: heldOut.length,
    leftOut,
    mean: evaluateMean({ ...data, rows }, heldOut),
    importances: Object.fromEntries(model.importances.map(({ name, importance }) => [name, importance])),
    ...(model.outOfBag !== undefined && { outOfBag: model.outOfBag.metrics }),
    ...(model.intervals !== undefined && {
      intervals: { level: model.intervals.coverage, ...evaluateIntervals(actual, model.predictIntervals(matrix)) },
    }),
    ...(options.cv !== undefined && { cv: await folded(data, table, options, options.cv, signal) }),
  };
}

async function folded(
  data: TrainingData,
  { target, splitColumn }: TrainTable,
  options: TrainOptions,
  folds: number,
  signal: AbortSignal,
): Promise<object> {
  const parts = foldTable(options.split, target.length, splitColumn, folds, options.seed);
  let done = 0;
  const { mean, standardDeviation } = await crossValidate(data, parts, async (part) => {
    progress({ step: 'cv', message: 'cross-validating', rows: done, total: folds });
    const model = await trainModel(part, options, { signal });
    done++;
    return model;
  });
  progress({ step: 'cv', rows: folds, total: folds, done: true });
  return { folds, mean, standardDeviation };
}

function tellTrees({ done, total }: { readonly done: number; readonly total: number }): void {
  progress({ step: 'train', message: 'growing trees', rows: done, total, ...(done === total && { done: true }) });
}
