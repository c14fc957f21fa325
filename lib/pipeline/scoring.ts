import { DOUBLE, type DuckDBAppender, DuckDBDataChunk, DuckDBDoubleVector } from '@duckdb/node-api';
import type { DuckDBEngine } from '../duckdb/engine.ts';
import { duckdbFailure } from '../duckdb/failure.ts';
import { identifier } from '../duckdb/names.ts';
import type { Scorer, Scores, UnseenCategory } from '../serving/index.ts';
import { type RelationColumn, readRelation } from './relation.ts';

/** Rows to score: a table of DuckDB's own, whose rows it numbers from 0. */
export interface RowsToScore {
  /** Its name, as it is. */
  readonly table: string;
  readonly rows: number;
  /** How each of the model's features is read from it. */
  readonly columns: readonly RelationColumn[];
  /** What the first row is called in errors. */
  readonly first: number;
}

/** How scores come about. */
export interface ScoringOptions {
  readonly signal?: AbortSignal;
  /** Is told how many rows are done. */
  readonly onProgress?: (done: number) => void;
}

/** The rows that are in memory at once. */
const BATCH_ROWS = 131_072;

/** What DuckDB takes as one chunk. */
const CHUNK_ROWS = 2048;

/**
 * Scores all rows of a table, a batch after the other, into a new temporary table `into` with the columns predicted, lower
 * and upper (NULL where the model has no intervals), whose rows stand in the same order.
 *
 * @returns the categories that the model does not know
 * @throws LakeletError what the model and the reading throw; `SCORING_FAILED`; the signal's reason where it ends
 */
export async function scoreTable(
  engine: DuckDBEngine,
  { table, rows, columns, first }: RowsToScore,
  model: Scorer,
  into: string,
  { signal, onProgress }: ScoringOptions = {},
): Promise<UnseenCategory[]> {
  await engine.run(`CREATE OR REPLACE TEMP TABLE ${identifier(into)} (predicted DOUBLE, lower DOUBLE, upper DOUBLE)`);
  const unseen = new Map<string, UnseenCategory>();
  const appender = await engine.connection.createAppender(into, 'main', 'temp');
  try {
    for (let from = 0; from < rows; from += BATCH_ROWS) {
      signal?.throwIfAborted();
      const to = Math.min(rows, from + BATCH_ROWS);
      const relation = { from: identifier(table), where: `rowid >= ${from} AND rowid < ${to}` };
      const read = await readRelation(engine, relation, columns, []);
      const scores = await model.score(read.columns, first + from);
      append(appender, scores);
      for (const one of scores.unseen) unseen.set(JSON.stringify(one), one);
      onProgress?.(to);
    }
    appender.closeSync();
  } catch (error) {
    throw duckdbFailure(error, 'SCORING_FAILED', "The rows can't be scored", signal);
  }
  return [...unseen.values()];
}

function append(appender: DuckDBAppender, { predicted, intervals }: Scores): void {
  const columns = [predicted, intervals?.lower, intervals?.upper];
  for (let from = 0; from < predicted.length; from += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, predicted.length - from);
    const chunk = DuckDBDataChunk.create([DOUBLE, DOUBLE, DOUBLE], rows);
    for (const [at, values] of columns.entries()) {
      const vector = chunk.getColumnVector(at);
      if (!(vector instanceof DuckDBDoubleVector)) continue;
      for (let row = 0; row < rows; row++) vector.setItem(row, values?.[from + row] ?? null);
      vector.flush();
    }
    appender.appendDataChunk(chunk);
  }
  appender.flushSync();
}
