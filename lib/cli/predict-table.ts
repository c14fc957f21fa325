import type { DuckDBEngine } from '../duckdb/engine.ts';
import { fileLiteral, identifier, literal } from '../duckdb/names.ts';
import { LakeletError, printable } from '../errors.ts';
import type { RowsToScore } from '../pipeline/scoring.ts';
import { kindOf, type ServedFeature } from '../serving/index.ts';
import type { RecordSource } from './predict-source.ts';
import { isText, numberSql } from './train-column.ts';

/** The table that holds the records while they are scored. */
export const RECORDS = 'lakelet_records';

/** The most names that an error lists. */
const SHOWN_NAMES = 20;

/** The name of the table's column that carries one of the columns to keep. */
export function keptColumn(at: number): string {
  return `kept_${at}`;
}

/**
 * Reads records into the temporary table {@link RECORDS}: the model's features, and the columns that are to be kept. Other
 * columns are ignored. Texts stand for numbers where the model takes those.
 *
 * @throws LakeletError `PREDICT_COLUMN_MISSING`, `PREDICT_COLUMN_INVALID`; `PREDICTION_INVALID` for a text that is no number;
 *   what DuckDB says of the source
 */
export async function readRecords(
  engine: DuckDBEngine,
  source: RecordSource,
  features: readonly ServedFeature[],
  keep: readonly string[],
): Promise<RowsToScore> {
  const types = await typesOf(engine, sourceSql(source, new Map(), new Set()));
  for (const { name } of features) if (!types.has(name)) throw missing('feature of the model', name, types);
  for (const name of keep) if (!types.has(name)) throw missing('column to keep', name, types);
  const categories = new Set(features.filter((feature) => kindOf(feature) === 'categorical').map(({ name }) => name));
  const columns = features.map((feature, at) => selected(feature, types.get(feature.name) ?? '', at));
  const kept = keep.map((name, at) => `${identifier(name)} AS ${keptColumn(at)}`);
  const select = [...columns.flatMap(({ selects }) => selects), ...kept].join(', ');
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE ${RECORDS} AS SELECT ${select} FROM query(${literal(sourceSql(source, types, categories))})`,
  );
  for (const { feature, column, text } of columns)
    if (text !== undefined) await refuseTexts(engine, feature, column, text);
  const [counted] = await engine.rows(`SELECT count(*) AS n FROM ${RECORDS}`);
  return {
    table: RECORDS,
    rows: Number(counted?.n ?? 0),
    columns: columns.map(({ feature, column }) => ({ name: feature.name, kind: kindOf(feature), sql: column })),
    first: 1,
  };
}

/**
 * The SELECT of a source. Categories are read as the text that stands there, which a reader would take for numbers or dates
 * where it looks like them.
 */
function sourceSql(source: RecordSource, types: ReadonlyMap<string, string>, categories: ReadonlySet<string>): string {
  if ('sql' in source) return source.sql;
  const file = fileLiteral(source.file);
  if (source.reader === 'read_parquet') return `FROM read_parquet(${file})`;
  const asText = [...types].filter(([name, type]) => categories.has(name) && type !== 'VARCHAR');
  if (asText.length === 0) return `FROM ${source.reader}(${file})`;
  if (source.reader === 'read_csv')
    return `FROM read_csv(${file}, types = ${struct(asText.map(([name]) => [name, 'VARCHAR']))})`;
  const all = [...types].map(([name, type]) => [name, categories.has(name) ? 'VARCHAR' : type] as const);
  return `FROM read_json(${file}, columns = ${struct(all)})`;
}

function struct(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([name, type]) => `${identifier(name)}: ${literal(type)}`).join(', ')}}`;
}

async function typesOf(engine: DuckDBEngine, select: string): Promise<ReadonlyMap<string, string>> {
  const rows = await engine.rows(`DESCRIBE FROM query(${literal(select)})`);
  return new Map(rows.map(({ column_name, column_type }) => [String(column_name), String(column_type)]));
}

interface Selected {
  readonly feature: ServedFeature;
  /** Its column in the table. */
  readonly column: string;
  /** The column with the text that the number came from. */
  readonly text?: string;
  readonly selects: readonly string[];
}

function selected(feature: ServedFeature, type: string, at: number): Selected {
  const column = `feature_${at}`;
  const name = identifier(feature.name);
  const number = numberSql(feature.name, type);
  if (number === undefined && !isText(type)) {
    throw new LakeletError(
      'PREDICT_COLUMN_INVALID',
      `The column ${printable(feature.name, 100)} is ${printable(type, 100)}, and the model takes ${kindOf(feature) === 'numeric' ? 'numbers' : 'text'} there; cast it in SQL`,
    );
  }
  if (kindOf(feature) === 'categorical') return { feature, column, selects: [`CAST(${name} AS VARCHAR) AS ${column}`] };
  if (number !== undefined) return { feature, column, selects: [`CAST(${number} AS DOUBLE) AS ${column}`] };
  const trimmed = `nullif(trim(CAST(${name} AS VARCHAR)), '')`;
  const parsed = `coalesce(TRY_CAST(${trimmed} AS DOUBLE), CASE lower(${trimmed}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END,
    epoch(TRY_CAST(${trimmed} AS TIMESTAMP)) / 86400, epoch(TRY_CAST(${trimmed} AS TIME)) / 86400)`;
  const text = `text_${at}`;
  return { feature, column, text, selects: [`${parsed} AS ${column}`, `${trimmed} AS ${text}`] };
}

/** Refuses text where the model takes numbers, with the first record that has it. */
async function refuseTexts(engine: DuckDBEngine, { name }: ServedFeature, column: string, text: string): Promise<void> {
  const [bad] = await engine.rows(
    `SELECT rowid AS at, ${text} AS value FROM ${RECORDS} WHERE ${column} IS NULL AND ${text} IS NOT NULL ORDER BY rowid LIMIT 1`,
  );
  if (bad === undefined) return;
  throw new LakeletError(
    'PREDICTION_INVALID',
    `Record ${Number(bad.at) + 1} can't be scored: ${printable(name, 100)} is ${printable(JSON.stringify(bad.value), 100)}, and the model takes a number there`,
  );
}

function missing(what: string, name: string, types: ReadonlyMap<string, string>): LakeletError {
  const names = [...types.keys()];
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  return new LakeletError(
    'PREDICT_COLUMN_MISSING',
    `The ${what} ${printable(name, 100)} is not there; the records have ${printable(names.slice(0, SHOWN_NAMES).join(', '), 1000)}${more}`,
  );
}
