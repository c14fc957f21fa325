import { Command } from 'commander';
import { duckdbFailure } from '../duckdb/failure.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import type { Scorer } from '../serving/index.ts';
import { commaSeparated } from './arguments.ts';
import { examples, formatOption, lakeOf, lakeOption, type Outside } from './command.ts';
import { type Format, writeRows } from './output.ts';
import { isModelFile, type RecordSource, recordSource, withInput } from './predict-source.ts';
import { keptColumn, RECORDS, readRecords } from './predict-table.ts';
import { drawProgress } from './progress-line.ts';
import { replaceFile, replaceTextFile } from './result-file.ts';
import { type SqlSession, withSql } from './sql-session.ts';

/** The model that is asked where none is named: the default dataset's champion. */
export const DEFAULT_MODEL = 'purchase-amount@champion';

interface PredictOptions {
  readonly model: string;
  readonly keep?: readonly string[];
  readonly format: Format | 'parquet';
  readonly output?: string;
  readonly lake?: string;
}

/** Standard input, and whether it is a terminal. */
export type RecordInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

const SCORES = 'lakelet_scores';

/** `lakelet predict`: a prediction for each record of a file, of SQL or of standard input. */
export function predictCommand(outside: Outside, input: RecordInput = process.stdin): Command {
  return new Command('predict')
    .description('score records with a model: those of a file or of SQL, else of standard input')
    .argument('[file|sql]', 'a Parquet, CSV or JSON file, or SQL over the lake; none, or -, is standard input')
    .option(
      '--model <model>',
      'NAME@ALIAS or NAME@VERSION of the registry, or a file that ends in .onnx',
      DEFAULT_MODEL,
    )
    .option('--keep <a,b>', "the records' columns that go before the predictions", commaSeparated)
    .addOption(formatOption('table', 'json', 'csv', 'parquet'))
    .option('--output <file>', 'write the result to a file or to s3://bucket/key (parquet needs one)')
    .addOption(lakeOption())
    .addHelpText(
      'after',
      examples(
        'lakelet predict new.csv --keep purchase_id --format csv',
        'lakelet predict "FROM silver.purchases" --keep purchase_id --format parquet --output predicted.parquet',
        'lakelet predict houses.parquet --model houses.onnx --format json',
        'tail -1 new.jsonl | lakelet predict --format json',
      ),
    )
    .action(async (source: string | undefined, options: PredictOptions, command: Command) => {
      if (options.format === 'parquet' && options.output === undefined) {
        command.error("option '--format parquet' needs --output FILE", { exitCode: 2 });
      }
      const fromInput = source === undefined || source === '-';
      if (fromInput && input.isTTY === true) {
        command.error('give a file or SQL, or records on standard input', { exitCode: 2 });
      }
      const { signal } = outside;
      try {
        if (fromInput) await withInput(input, signal, (found) => predict(found, options, outside));
        else await predict(await recordSource(source), options, outside);
      } catch (error) {
        if (!signal.aborted) throw error;
        throw new LakeletError('INTERRUPTED', 'The scoring was stopped before its end', { cause: error });
      }
    });
}

async function predict(source: RecordSource, options: PredictOptions, outside: Outside): Promise<void> {
  const { signal, console } = outside;
  const { openModelFile, openServedModel, registryOf, warningsOf } = await import('../serving/index.ts');
  const config = { ...outside.config(), ...(options.lake !== undefined && { lakeUri: options.lake }) };
  const model = isModelFile(options.model)
    ? await openModelFile(options.model)
    : await openServedModel(registryOf(config), options.model);
  const keep = options.keep ?? [];
  refuseTwice([...keep, ...resultColumns(model)]);
  await withSql(lakeOf(outside, options.lake), [], async (session) => {
    const { engine } = session;
    const interrupt = (): void => engine.connection.interrupt();
    signal.addEventListener('abort', interrupt);
    const stopDrawing = drawProgress(console);
    try {
      signal.throwIfAborted();
      if ('sql' in source) await session.attach(source.sql, signal);
      const { scoreTable } = await import('../pipeline/scoring.ts');
      const { progress } = await import('../progress.ts');
      const records = await readRecords(engine, source, model.features, keep);
      const { rows } = records;
      const onProgress = (done: number): void => progress({ step: 'predict', rows: done, total: rows });
      const unseen = await scoreTable(engine, records, model, SCORES, { signal, onProgress });
      stopDrawing();
      for (const warning of warningsOf(unseen)) console.err.write(`warning ${warning}\n`);
      await write(session, model, options, outside);
    } catch (error) {
      throw duckdbFailure(error, 'PREDICT_FAILED', "The records can't be scored", signal);
    } finally {
      stopDrawing();
      signal.removeEventListener('abort', interrupt);
    }
  });
}

function resultColumns({ hasIntervals }: Scorer): readonly string[] {
  return hasIntervals ? ['predicted', 'lower', 'upper'] : ['predicted'];
}

/** Refuses a result that would have two columns of one name. */
function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, at) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== at);
  if (twice === undefined) return;
  throw new LakeletError('PREDICT_COLUMN_INVALID', `The result would have two columns ${twice}; take it out of --keep`);
}

async function write(
  { engine }: SqlSession,
  model: Scorer,
  { keep = [], format, output }: PredictOptions,
  { console, signal }: Outside,
): Promise<void> {
  const kept = keep.map((name, at) => `${keptColumn(at)} AS ${identifier(name)}`);
  const sql = `SELECT ${[...kept, ...resultColumns(model)].join(', ')} FROM ${RECORDS} POSITIONAL JOIN ${SCORES}`;
  if (format === 'parquet') {
    return replaceFile(output ?? '', (file) => engine.run(`COPY (${sql}) TO ${literal(file)} (FORMAT parquet)`));
  }
  const { columns, batches } = await engine.query(sql, { signal });
  const names = columns.map(({ name }) => name);
  if (output === undefined) return writeRows(console, format, names, batches);
  await replaceTextFile(output, (out) => writeRows({ ...console, out }, format, names, batches));
}
