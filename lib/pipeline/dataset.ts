import type { DuckDBConnection } from '@duckdb/node-api';
import type { Expectation } from '../quality/expectation.ts';
import type { ChartSpec } from '../report/input.ts';

/** A column's type, by Delta's own names of its primitive types. */
export type ColumnType = 'string' | 'integer' | 'long' | 'double' | 'boolean' | 'date' | 'timestamp';

/** A column of a table that the pipeline writes; every column may be null. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** Which part of a delivery to make: `rows` records from `seed`, or of them the part that shard `shard` of `shards` has. */
export interface Delivery {
  /** Records in the whole delivery. */
  readonly rows: number;
  readonly seed: number;
  /** In how many parts the delivery is made. */
  readonly shards: number;
  /** The part to make, 0 … shards − 1; absent: all of them. */
  readonly shard?: number;
}

/** A delivery, ready to be read. */
export interface DeliveredRows {
  /** A SELECT over the connection it was asked of, which yields the dataset's columns in their order; the same rows at each reading. */
  readonly sql: string;
  /** How many records it will yield. */
  readonly rows: number;
  /** What bronze notes as the records' source, for example `faker:seed=42`. */
  readonly source: string;
}

/** A feature of the model: a column of silver. */
export interface Feature {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
}

/** What gold learns from silver. */
export interface ModelSpec {
  /** The registered model's name. */
  readonly name: string;
  /** The column of silver to predict. */
  readonly target: string;
  /** What the target is counted in, for example `EUR`, where the data says it. */
  readonly unit?: string;
  readonly features: readonly Feature[];
  /** The column that says when a row came to be, by which the latest can be held out. */
  readonly timeColumn?: string;
  /** The column that says to whom a row belongs, so that none of theirs need stand on both sides. */
  readonly groupColumn?: string;
}

/** One aggregate of gold: a SQL file over the view `silver`, written to `gold/<name>`. */
export interface Aggregate {
  readonly name: string;
  /** The SQL file, relative to the project. */
  readonly sqlFile: string;
  readonly columns: readonly Column[];
  /** What a run's report draws of it; without any it shows the table alone. */
  readonly charts?: readonly ChartSpec[];
}

/** Everything that the pipeline needs to know of one dataset. */
export interface Dataset {
  /** Its tables are `bronze/<name>`, `silver/<name>` and `silver/<name>_quarantine`. */
  readonly name: string;
  /** The columns that a source delivers; bronze adds run_id, source and ingested_at. */
  readonly columns: readonly Column[];
  /** Which records are the same thing, and which of them counts. */
  readonly identity: {
    /** The column that names the thing. */
    readonly key: string;
    /** Of one key the greatest counts. */
    readonly updatedAt: string;
  };
  readonly expectations: readonly Expectation[];
  readonly silver: {
    /** The SQL file over the view `good`, relative to the project. */
    readonly sqlFile: string;
    /** Silver's columns, bronze's included. */
    readonly columns: readonly Column[];
  };
  readonly gold: readonly Aggregate[];
  readonly model: ModelSpec;
  /**
   * Readies a delivery on `connection`, on which no statement may be running: a source that is fed by this thread could not
   * be registered before that statement ends, nor the statement end before this thread is free.
   */
  deliver(connection: DuckDBConnection, delivery: Delivery): DeliveredRows;
}
