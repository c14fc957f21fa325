import type { DuckDBEngine } from '../duckdb/engine.ts';
import { identifier } from '../duckdb/names.ts';
import type { FeatureColumn } from '../forest/index.ts';
import type { Dataset } from './dataset.ts';
import { heldOutRule, type Split } from './held-out.ts';
import { readRelation } from './relation.ts';

/** What a model learns from and is scored on, column by column. */
export interface FeatureTable {
  readonly columns: readonly FeatureColumn[];
  readonly target: Float64Array;
  /** The rows to learn from, ascending. */
  readonly train: Uint32Array;
  /** The rows to score on, ascending. */
  readonly heldOut: Uint32Array;
  /** The SQL that chooses the rows to learn from among silver's. */
  readonly predicate: string;
  /** How the others were chosen, in words. */
  readonly split: string;
}

/**
 * Reads the model's features and target from the view `silver`, in the table's own order. Rows without a target are left
 * out; which rows are held out, `heldOutRule` says. A missing number is NaN, a missing category −1.
 *
 * @throws LakeletError `SPLIT_NOT_POSSIBLE`, and what `readRelation` throws
 */
export async function readFeatures(
  engine: DuckDBEngine,
  dataset: Dataset,
  split: Split = 'random',
): Promise<FeatureTable> {
  const { features, target } = dataset.model;
  const value = `CAST(${identifier(target)} AS DOUBLE)`;
  const present = `isfinite(${value})`;
  const rule = await heldOutRule(engine, dataset, split, present);
  const { rows, columns, numbers } = await readRelation(engine, { from: 'silver', where: present }, features, [
    value,
    rule.sql,
  ]);
  const [values = new Float64Array(), out = new Float64Array()] = numbers;
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return {
    columns,
    target: values,
    train: all.filter((row) => out[row] !== 1),
    heldOut: all.filter((row) => out[row] === 1),
    predicate: `${present} AND ${rule.learnt}`,
    split: rule.text,
  };
}
