import type { DuckDBEngine } from '../duckdb/engine.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { LakeletError, printable } from '../errors.ts';
import type { FeatureColumn } from '../forest/index.ts';
import { type RelationColumn, readRelation } from '../pipeline/relation.ts';
import { trainColumn } from './train-column.ts';
import type { SplitBy } from './train-split.ts';

/** What of a source a model is to be trained on. */
export interface TableRequest {
  readonly target: string;
  /** The columns to learn from; all others where absent. */
  readonly features?: readonly string[];
  /** The column that says how much a row counts. */
  readonly weight?: string;
  readonly split: SplitBy;
}

/** A source's columns, ready for a training. */
export interface TrainTable {
  readonly columns: readonly FeatureColumn[];
  readonly target: Float64Array;
  readonly weights?: Float64Array;
  /** The column that the split goes by, where it goes by one. */
  readonly splitColumn?: FeatureColumn;
  /** Rows that were left out since their target is missing. */
  readonly leftOut: number;
}

const TABLE = 'lakelet_train';

/** The greatest number that a 32-bit float can hold, and what is rounded to it: what models and their files store. */
const MOST = '3.4028235677973362e38';

/**
 * Reads what a SELECT gives as columns for a training. Rows whose target is missing (NULL, NaN) are left out.
 *
 * @throws LakeletError `TRAIN_COLUMN_MISSING`, `TRAIN_COLUMN_INVALID` (a type that no model can learn from, a value that it
 *   can't hold: column and row are named), `TRAIN_NO_ROWS`, and what DuckDB says of the SELECT
 */
export async function readTrainTable(engine: DuckDBEngine, select: string, request: TableRequest): Promise<TrainTable> {
  const types = await typesOf(engine, select);
  const column = (name: string, what: string): RelationColumn => trainColumn(name, types.get(name), what, types);
  const { target: targetName, weight: weightName, split } = request;
  const target = numeric(column(targetName, 'The target'), types, 'The target');
  const weight = weightName === undefined ? undefined : numeric(column(weightName, 'The weight'), types, 'The weight');
  const splitColumn = split.by === 'random' ? undefined : column(split.column, 'The column of --split');
  const wanted = featureNames(request, [...types.keys()]).map((name) => column(name, 'The feature'));
  const needed = new Set(
    [...wanted, target, weight, splitColumn].flatMap((one) => (one === undefined ? [] : [one.name])),
  );
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE ${TABLE} AS SELECT ${[...needed].map(identifier).join(', ')} FROM query(${literal(select)})`,
  );
  try {
    const { present, leftOut } = await targetsOf(engine, target);
    await refuseInfinite(engine, [...wanted, ...(weight === undefined ? [] : [weight])], present);
    const read = await readRelation(
      engine,
      { from: TABLE, where: present },
      splitColumn === undefined ? wanted : [...wanted, splitColumn],
      [sqlOf(target), ...(weight === undefined ? [] : [sqlOf(weight)])],
    );
    const [values = new Float64Array(), weights] = read.numbers;
    const by = read.columns[wanted.length];
    return {
      columns: read.columns.slice(0, wanted.length),
      target: values,
      leftOut,
      ...(weights !== undefined && { weights }),
      ...(by !== undefined && { splitColumn: by }),
    };
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${TABLE}`);
  }
}

/** The columns that a SELECT gives, in order, with DuckDB's names of their types. */
async function typesOf(engine: DuckDBEngine, select: string): Promise<ReadonlyMap<string, string>> {
  const rows = await engine.rows(`DESCRIBE FROM query(${literal(select)})`);
  return new Map(rows.map(({ column_name, column_type }) => [String(column_name), String(column_type)]));
}

function numeric(column: RelationColumn, types: ReadonlyMap<string, string>, what: string): RelationColumn {
  if (column.kind === 'numeric') return column;
  throw new LakeletError(
    'TRAIN_COLUMN_INVALID',
    `${what} ${printable(column.name, 100)} is ${types.get(column.name)}, and must be a number; name another column, or cast it in SQL.`,
  );
}

function featureNames({ target, features, weight, split }: TableRequest, all: readonly string[]): readonly string[] {
  const others = [target, weight, split.by === 'random' ? undefined : split.column];
  const names = features ?? all.filter((name) => !others.includes(name));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined || names.includes(target)) {
    const why = twice === undefined ? 'the target, and no feature' : 'named twice';
    throw new LakeletError(
      'TRAIN_COLUMN_INVALID',
      `${printable(twice ?? target, 100)} is ${why}; take it out of --features.`,
    );
  }
  if (names.length > 0) return names;
  throw new LakeletError('TRAIN_COLUMN_MISSING', 'There is no column to learn from beside the target; give some.');
}

function sqlOf({ name, sql = identifier(name) }: RelationColumn): string {
  return sql;
}

/** The rows that have a target, as SQL, and how many have none. */
async function targetsOf(
  engine: DuckDBEngine,
  target: RelationColumn,
): Promise<{ readonly present: string; readonly leftOut: number }> {
  const value = `CAST(${sqlOf(target)} AS DOUBLE)`;
  const present = `(${value} IS NOT NULL AND NOT isnan(${value}))`;
  const [found] = await engine.rows(`SELECT count(*) AS rows, count(*) FILTER (${present}) AS known FROM ${TABLE}`);
  const [rows, known] = [Number(found?.rows ?? 0), Number(found?.known ?? 0)];
  await refuseInfinite(engine, [target], present);
  if (known >= 2) return { present, leftOut: rows - known };
  const few = rows === 0 ? 'There are no rows' : `Of ${rows} rows, ${known} have a target`;
  throw new LakeletError(
    'TRAIN_NO_ROWS',
    `${few}; a model needs two at least, one to learn from and one to be scored on.`,
  );
}

/** Refuses numbers that the model's 32-bit floats can't hold. */
async function refuseInfinite(engine: DuckDBEngine, columns: readonly RelationColumn[], where: string): Promise<void> {
  const numbers = columns.filter(({ kind }) => kind === 'numeric');
  if (numbers.length === 0) return;
  const firsts = numbers.map((column) => {
    const value = `CAST(${sqlOf(column)} AS DOUBLE)`;
    // DuckDB takes NaN for greater than all numbers.
    return `min(rowid) FILTER (NOT isnan(${value}) AND abs(${value}) >= ${MOST})`;
  });
  const [found] = await engine.rows(
    `SELECT ${firsts.map((first, at) => `${first} AS c${at}`).join(', ')} FROM ${TABLE} WHERE ${where}`,
  );
  for (const [at, { name }] of numbers.entries()) {
    const row = found?.[`c${at}`];
    if (row === null || row === undefined) continue;
    const [bad] = await engine.rows(
      `SELECT CAST(${identifier(name)} AS VARCHAR) AS value FROM ${TABLE} WHERE rowid = ${String(row)}`,
    );
    throw new LakeletError(
      'TRAIN_COLUMN_INVALID',
      `The column ${printable(name, 100)} holds ${printable(String(bad?.value), 60)} in row ${Number(row) + 1}, which is beyond 32-bit floats; leave such rows out in SQL, or make the value NULL.`,
    );
  }
}
