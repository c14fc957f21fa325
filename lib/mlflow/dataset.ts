import { createHash } from 'node:crypto';
import type { DatasetColumn, HeldOut, TrainingDataset } from './training.ts';

const COLSPEC_TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  byte: 'integer',
  short: 'integer',
  integer: 'integer',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  binary: 'binary',
  date: 'datetime',
  timestamp: 'datetime',
  timestamp_ntz: 'datetime',
};

/** A dataset as MLflow's API takes it; schema, source and profile are JSON texts. */
export interface MlflowDataset {
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema: string;
  readonly profile: string;
}

/** The rows learnt from, as MLflow's `delta_table` dataset source (`mlflow.data.delta_dataset_source`) with a predicate. */
export function mlflowDataset(dataset: TrainingDataset): MlflowDataset {
  return described(dataset, [], dataset.profile);
}

/** The rows held out of the same table: another dataset to MLflow, for they are other rows. */
export function heldOutDataset(dataset: TrainingDataset, { id, rows }: HeldOut): MlflowDataset {
  return described(dataset, ['held out', id], { num_rows: rows, held_out: id });
}

function described(
  { name, uri, version, predicate, columns }: TrainingDataset,
  apart: readonly string[],
  profile: TrainingDataset['profile'],
): MlflowDataset {
  const where = predicate === undefined ? {} : { predicate };
  const digest = createHash('sha256')
    .update(JSON.stringify([uri, version, ...(predicate === undefined ? [] : [predicate]), ...apart]))
    .digest('hex')
    .slice(0, 16);
  return {
    name,
    digest,
    source_type: 'delta_table',
    source: JSON.stringify({ path: uri, delta_table_version: version, is_databricks_uc_table: false, ...where }),
    schema: JSON.stringify({ mlflow_colspec: columns.map(colspec) }),
    profile: JSON.stringify({ ...profile, ...where }),
  };
}

function colspec({ name, type, nullable }: DatasetColumn): { type: string; name: string; required: boolean } {
  // MLflow has no decimals, and needs more than a type's name for nested ones: `any` says no more than is known.
  return { type: COLSPEC_TYPES[type] ?? 'any', name, required: !nullable };
}
