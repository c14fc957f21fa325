import type { DuckDBEngine } from '../duckdb/engine.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import type { Dataset } from './dataset.ts';

/** How rows are chosen to be held out: by their key, by whom they belong to, or the latest. */
export const SPLITS = ['random', 'customer', 'time'] as const;

/** One of {@link SPLITS}. */
export type Split = (typeof SPLITS)[number];

/** Of so many rows one is held out of the training. */
export const ONE_IN = 5;

/** Which rows are held out. */
export interface HeldOutRule {
  /** SQL over a row: true where it is held out, never NULL. */
  readonly sql: string;
  /** SQL over a row: true where it is learnt from. */
  readonly learnt: string;
  /** In words. */
  readonly text: string;
}

/**
 * The rule that holds rows of the view `silver` out of the training. `random` and `customer` go by the MD5 of the row's key
 * or of whom it belongs to alone (so on no machine or version), and so it stays on its side however the table grows; `time`
 * takes the latest fifth, in which rows of one moment stay together. A row that has no customer or no time is learnt from.
 *
 * @param present SQL over a row: true where it has a target
 * @throws LakeletError `SPLIT_NOT_POSSIBLE` where the dataset names no column to split by
 */
export async function heldOutRule(
  engine: DuckDBEngine,
  dataset: Dataset,
  split: Split,
  present: string,
): Promise<HeldOutRule> {
  if (split === 'time') return latest(engine, columnOf(dataset, split, dataset.model.timeColumn), present);
  if (split === 'customer') {
    const column = columnOf(dataset, split, dataset.model.groupColumn);
    const part = partOf(column);
    return {
      sql: `coalesce(${part} = 0, false)`,
      learnt: `coalesce(${part} <> 0, true)`,
      text: `all rows of one ${column} in ${ONE_IN}`,
    };
  }
  const part = partOf(dataset.identity.key);
  return {
    sql: `coalesce(${part} = 0, false)`,
    learnt: `coalesce(${part} <> 0, true)`,
    text: `one row in ${ONE_IN}, by its key`,
  };
}

/** SQL for the part, 0 … 4, that a value belongs to; NULL for NULL. */
function partOf(column: string): string {
  return `('0x' || md5(CAST(${identifier(column)} AS VARCHAR))[1:8])::UINTEGER % ${ONE_IN}`;
}

async function latest(engine: DuckDBEngine, column: string, present: string): Promise<HeldOutRule> {
  const time = identifier(column);
  // Where a fifth of the rows and more are of the last moment, those alone are held out.
  const [found] = await engine.rows(
    `SELECT CAST(least(
       (SELECT quantile_disc(${time}, ${1 - 1 / ONE_IN}) FROM silver WHERE ${present}),
       (SELECT max(${time}) FROM silver WHERE ${present} AND ${time} < (SELECT max(${time}) FROM silver WHERE ${present}))
     ) AS VARCHAR) AS cut`,
  );
  // Without two different times nothing can be held out, and the training says that there are too few rows.
  if (typeof found?.cut !== 'string') {
    return { sql: 'false', learnt: 'true', text: `the latest fifth by ${column}` };
  }
  const after = `${time} > ${literal(found.cut)}`;
  return {
    sql: `coalesce(${after}, false)`,
    learnt: `coalesce(NOT ${after}, true)`,
    text: `the latest fifth: ${column} after ${found.cut}`,
  };
}

function columnOf(dataset: Dataset, split: Split, column: string | undefined): string {
  if (column !== undefined) return column;
  throw new LakeletError(
    'SPLIT_NOT_POSSIBLE',
    `The dataset ${dataset.name} names no column to split by ${split}; use another --split, or name one in its model.`,
  );
}
