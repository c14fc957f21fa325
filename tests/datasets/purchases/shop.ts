import { readFileSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api';
import { purchases } from '../../../datasets/purchases/index.ts';
import { shippedFile } from '../../../lib/files.ts';
import type { ColumnType } from '../../../lib/pipeline/dataset.ts';
import { splitSql } from '../../../lib/quality/split.ts';

const DUCKDB_TYPES: Record<ColumnType, string> = {
  string: 'VARCHAR',
  integer: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
};

/** The columns as DuckDB describes them: `name TYPE`. */
export function described(columns: readonly { readonly name: string; readonly type: ColumnType }[]): string[] {
  return columns.map(({ name, type }) => `${name} ${DUCKDB_TYPES[type]}`);
}

/** A database in memory, in which a test walks purchases through bronze, silver and gold. */
export class Shop {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.connection = connection;
  }

  /** Opens a shop whose session is in a time zone far from UTC, which nothing may depend on. */
  static async open(): Promise<Shop> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'Pacific/Auckland'`);
    await connection.run(
      `CREATE TABLE bronze (${[...described(purchases.columns), 'run_id VARCHAR', 'source VARCHAR', 'ingested_at TIMESTAMPTZ'].join(', ')})`,
    );
    return new Shop(instance, connection);
  }

  async rows(sql: string): Promise<Record<string, Json>[]> {
    return (await this.connection.runAndReadAll(sql)).getRowObjectsJson();
  }

  /** What `sql`, a SELECT, yields, as `name TYPE`. */
  async describe(sql: string): Promise<string[]> {
    return (await this.rows(`DESCRIBE ${sql}`)).map((row) => `${row.column_name} ${row.column_type}`);
  }

  /** Puts purchases of a seed into bronze, as run `run`, one second after the run before. */
  async deliver(rows: number, seed: number, run = 1): Promise<void> {
    const delivered = purchases.deliver(this.connection, { rows, seed, shards: 1 });
    await this.connection.run(
      `INSERT INTO bronze SELECT *, 'r${run}', '${delivered.source}', TIMESTAMPTZ '2026-03-01 12:00:00+00' + to_seconds(${run}) FROM (${delivered.sql})`,
    );
  }

  /** Makes the views good, quarantined and fates, and the table silver. */
  async refine(): Promise<void> {
    await this.connection.run(splitSql(purchases));
    await this.connection.run(`CREATE OR REPLACE TABLE silver AS ${shippedSql(purchases.silver.sqlFile)}`);
  }

  close(): void {
    this.connection.closeSync();
    this.#instance.closeSync();
  }
}

/** The text of a SQL file of the project. */
export function shippedSql(path: string): string {
  return readFileSync(shippedFile(path), 'utf8');
}
