import type { ObjectStore } from '../storage/index.ts';
import type { Predicate } from './expr/predicate.ts';
import type { StructType } from './schema/types.ts';

/** A row of a table: its columns by name, in the schema's order, in the values that docs/delta.md lists. */
export type Row = Record<string, unknown>;

/** What is written: row objects, Parquet files of this machine, or a SELECT in the engine's own database. */
export type Source =
  | { readonly rows: Iterable<object> | AsyncIterable<object> }
  | { readonly parquet: string | readonly string[] }
  | { readonly sql: string };

/** A file to scan. */
export interface ScanFile {
  /** Where it lies in the table's store; an absolute local path where `local`. */
  readonly key: string;
  readonly local?: boolean;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970 (UTC). */
  readonly modificationTime: number;
  /** By column name; null for NULL. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
}

/** A scan, with everything decided that the log can decide. */
export interface ScanPlan {
  readonly store: ObjectStore;
  readonly schema: StructType;
  /** The schema as data files have it: fields at the same places, by their physical names. */
  readonly physical: StructType;
  /** True where a file's columns count by their ids, of which the physical names are but a reflection. */
  readonly byId: boolean;
  readonly partitionColumns: readonly string[];
  readonly files: readonly ScanFile[];
  /** Names in the schema's spelling. */
  readonly columns: readonly string[];
  /** A SQL condition over the schema's columns that {@link ParquetEngine.parsePredicate} has accepted. */
  readonly where?: string;
  readonly signal?: AbortSignal;
}

/** Where and how to write data files. */
export interface StageTarget {
  readonly store: ObjectStore;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  /** The table's properties: compression, statistics' columns, file size. */
  readonly properties: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A data file that was written and is not yet part of the table. */
export interface StagedFile {
  /** Its key in the table's store, not percent-encoded. */
  readonly key: string;
  readonly size: number;
  readonly rows: number;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** Statistics as JSON text. */
  readonly stats: string;
}

/** What the protocol asks of whatever reads and writes Parquet. */
export interface ParquetEngine {
  /** The rows of a scan, in batches that are never empty. */
  scan(plan: ScanPlan): AsyncIterable<Row[]>;

  /** Writes a source's rows as data files of the table, each durable, and tells of them. On failure none is left. */
  stage(source: Source, target: StageTarget): Promise<StagedFile[]>;

  /** A SQL condition, understood as far as skipping files needs. Throws `INVALID_PREDICATE`. */
  parsePredicate(sql: string, schema: StructType): Promise<Predicate>;

  /** The rows of a Parquet checkpoint or sidecar, each an action's JSON by its name; batches in order. */
  readCheckpoint(store: ObjectStore, key: string): AsyncIterable<Record<string, unknown>[]>;

  /** Writes actions, one JSON text a line, as a classic checkpoint; tells its size in bytes. */
  writeCheckpoint(store: ObjectStore, key: string, lines: Iterable<string>): Promise<{ readonly size: number }>;
}
