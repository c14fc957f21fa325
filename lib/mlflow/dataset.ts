import { createHash } from 'node:crypto';
import type { DatasetColumn, TrainingDataset } from './training.ts';

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

/** The table's version as MLflow's `delta_table` dataset source (`mlflow.data.delta_dataset_source`). */
export function mlflowDataset(dataset: TrainingDataset): MlflowDataset {
  const digest = createHash('sha256')
    .update(JSON.stringify([dataset.uri, dataset.version]))
    .digest('hex')
    .slice(0, 16);
  return {
    name: dataset.name,
    digest,
    source_type: 'delta_table',
    source: JSON.stringify({ path: dataset.uri, delta_table_version: dataset.version, is_databricks_uc_table: false }),
    schema: JSON.stringify({ mlflow_colspec: dataset.columns.map(colspec) }),
    profile: JSON.stringify(dataset.profile),
  };
}

function colspec({ name, type, nullable }: DatasetColumn): { type: string; name: string; required: boolean } {
  // MLflow has no decimals, and needs more than a type's name for nested ones: `any` says no more than is known.
  return { type: COLSPEC_TYPES[type] ?? 'any', name, required: !nullable };
}
