import { tmpdir } from 'node:os';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { ParquetEngine, Row, ScanPlan, Source, StagedFile, StageTarget } from '../delta/engine.ts';
import type { Predicate } from '../delta/expr/predicate.ts';
import { isRecord, type StructType } from '../delta/schema/types.ts';
import type { DeltaTable } from '../delta/table.ts';
import { printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import { readCheckpointFile, writeCheckpointFile } from './checkpoint.ts';
import { duckdbFailure } from './failure.ts';
import { fetchObject } from './fetch.ts';
import { checkFieldIds } from './field-ids.ts';
import { type FileCache, fileCacheIn, type HeldFiles } from './file-cache.ts';
import { connect, type EngineOptions, openInstance } from './instance.ts';
import { lockStatements } from './lock.ts';
import { identifier } from './names.ts';
import { parsePredicate } from './predicate.ts';
import { scanSql, stubSql } from './scan-sql.ts';
import { discard, Scratch } from './scratch.ts';
import { stageFiles } from './stage.ts';
import { type RowStream, streamRows } from './stream.ts';
import { rowsOf, toJs } from './values.ts';

export type { EngineOptions } from './instance.ts';

/** The answer to a query. */
export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Rows by column name, in the values that docs/delta.md lists; read once. */
  readonly batches: AsyncIterable<Row[]>;
}

/** DuckDB in this process, over an in-memory database in the time zone UTC: reads and writes the Parquet files of tables. */
export class DuckDBEngine implements ParquetEngine {
  /** The connection that {@link run}, {@link rows} and SQL sources use. */
  readonly connection: DuckDBConnection;
  private readonly instance: DuckDBInstance;
  private readonly scratch: Scratch;
  private readonly cache: FileCache;
  private readonly stubs = new Map<string, Promise<string>>();
  /** The files that each view reads, by its name. */
  private readonly views = new Map<string, HeldFiles>();
  private turn: Promise<void> = Promise.resolve();

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, scratch: Scratch, cache: FileCache) {
    this.instance = instance;
    this.connection = connection;
    this.scratch = scratch;
    this.cache = cache;
  }

  /** @throws LakeletError `ENGINE_FAILED`, `SCRATCH_FAILED` */
  static async open(options: EngineOptions = {}): Promise<DuckDBEngine> {
    const { tempDirectory = tmpdir() } = options;
    const scratch = new Scratch(tempDirectory);
    try {
      const instance = await openInstance(scratch.folder, options);
      return new DuckDBEngine(instance, await connect(instance), scratch, fileCacheIn(tempDirectory));
    } catch (error) {
      scratch.remove();
      throw duckdbFailure(error, 'ENGINE_FAILED', "DuckDB can't be started");
    }
  }

  /** Runs statements whose results nobody needs. Throws `QUERY_FAILED`. */
  async run(sql: string): Promise<void> {
    try {
      await this.inTurn(() => this.connection.run(sql));
    } catch (error) {
      throw duckdbFailure(error, 'QUERY_FAILED', 'The statement failed');
    }
  }

  /** The rows of a small result. Throws `QUERY_FAILED`. */
  async rows(sql: string): Promise<Row[]> {
    try {
      const reader = await this.inTurn(() => this.connection.runAndReadAll(sql));
      const names = reader.deduplicatedColumnNames();
      return reader
        .getRows()
        .map((values) => Object.fromEntries(names.map((name, at) => [name, toJs(values[at] ?? null)])));
    } catch (error) {
      throw duckdbFailure(error, 'QUERY_FAILED', 'The statement failed');
    }
  }

  /** A SELECT's result, streamed, on the main connection: read it, or leave its iterator, before the next statement. */
  async query(sql: string, options: { readonly signal?: AbortSignal } = {}): Promise<QueryResult> {
    const { signal } = options;
    try {
      signal?.throwIfAborted();
      const { names, types, batches } = await this.inTurn(() => streamRows(this.connection, sql, signal));
      return {
        columns: names.map((name, at) => ({ name, type: String(types[at]) })),
        batches: this.batches(this.connection, batches, names, 'QUERY_FAILED', 'The query failed', signal),
      };
    } catch (error) {
      throw duckdbFailure(error, 'QUERY_FAILED', 'The query failed', signal);
    }
  }

  /**
   * Makes a view over a table's files as they are at its present version; of a name with parts, the schema is made as well.
   * Remote files are fetched before, and kept as long as the view is.
   *
   * @throws LakeletError as {@link scan}
   */
  async view(
    name: string | readonly string[],
    table: DeltaTable,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { signal } = options;
    const parts = [name].flat();
    const view = parts.map(identifier).join('.');
    const schema = parts.slice(0, -1).map(identifier).join('.');
    const plan: ScanPlan = { ...table.scanPlan(), ...(signal !== undefined && { signal }) };
    let held: HeldFiles | undefined;
    try {
      held = await this.hold(plan);
      const { sql, stub } = await this.scanStatement(plan, held.paths);
      if (schema !== '') await this.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await this.run(`CREATE OR REPLACE VIEW ${view} AS ${sql}`);
      this.views.get(view)?.release();
      this.views.set(view, { ...held, paths: [...held.paths, stub] });
    } catch (error) {
      held?.release();
      throw duckdbFailure(error, 'SCAN_FAILED', `The table ${printable(table.uri, 300)} can't be read`, signal);
    }
  }

  /** From now on nothing but the views that were made is read from outside, nothing is written, and no setting changes. */
  async lock(): Promise<void> {
    const paths = new Set([...this.views.values()].flatMap((view) => view.paths));
    for (const statement of lockStatements(paths)) await this.run(statement);
  }

  async *scan(plan: ScanPlan): AsyncGenerator<Row[]> {
    const { signal } = plan;
    const what = `The table ${printable(plan.store.uri, 300)} can't be read`;
    const connection = await connect(this.instance);
    let held: HeldFiles | undefined;
    try {
      signal?.throwIfAborted();
      held = await this.hold(plan);
      const { sql } = await this.scanStatement(plan, held.paths);
      const { batches } = await streamRows(connection, sql, signal);
      yield* this.batches(connection, batches, plan.columns, 'SCAN_FAILED', what, signal);
    } catch (error) {
      throw duckdbFailure(error, 'SCAN_FAILED', what, signal);
    } finally {
      connection.closeSync();
      held?.release();
    }
  }

  stage(source: Source, target: StageTarget): Promise<StagedFile[]> {
    const stage = (connection: DuckDBConnection) => stageFiles(connection, this.scratch, source, target);
    // SQL may name what only the main connection has: temporary views, and the like.
    return isRecord(source) && 'sql' in source ? this.inTurn(() => stage(this.connection)) : this.aside(stage);
  }

  async parsePredicate(sql: string, schema: StructType): Promise<Predicate> {
    return this.aside((connection) => parsePredicate(connection, sql, schema));
  }

  async *readCheckpoint(store: ObjectStore, key: string): AsyncGenerator<Record<string, unknown>[]> {
    const own = store.localPath(key);
    const path = own ?? this.scratch.path('.parquet');
    const connection = await connect(this.instance);
    try {
      // Unlike a data file, a checkpoint may be written anew under its name, so that no copy is kept.
      if (own === undefined) await fetchObject(store, key, path);
      yield* readCheckpointFile(connection, path);
    } finally {
      connection.closeSync();
      if (own === undefined) await discard(path);
    }
  }

  writeCheckpoint(store: ObjectStore, key: string, lines: Iterable<string>): Promise<{ readonly size: number }> {
    return this.aside((connection) => writeCheckpointFile(connection, this.scratch, store, key, lines));
  }

  /** Frees the database and removes passing files. An engine that is not closed is freed with the process. */
  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
    for (const held of this.views.values()) held.release();
    this.views.clear();
    this.scratch.remove();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Local paths of a scan's files, in their order: their own, or those of copies. */
  private async hold({ store, files, signal }: ScanPlan): Promise<HeldFiles> {
    const own = files.flatMap(({ key }) => store.localPath(key) ?? []);
    if (own.length === files.length) return { paths: own, release: () => undefined };
    return this.cache.hold(store, files, signal);
  }

  /** The statement of a scan whose files lie at these paths, and the stub that it reads beside them. */
  private async scanStatement(plan: ScanPlan, paths: readonly string[]): Promise<{ sql: string; stub: string }> {
    const { schema, physical, partitionColumns, columns, where } = plan;
    const files = plan.files.map(({ partitionValues }, at) => ({ path: paths[at] ?? '', partitionValues }));
    if (plan.byId) await this.aside((connection) => checkFieldIds(connection, files, physical, plan.store.uri));
    const stub = await this.stub(stubSql(schema, physical, partitionColumns));
    const statement = {
      schema,
      physical,
      partitionColumns,
      columns,
      files,
      stub,
      ...(where !== undefined && { where }),
    };
    return { sql: scanSql(statement), stub };
  }

  /** An empty Parquet file; made once for each schema. */
  private stub(select: string): Promise<string> {
    let made = this.stubs.get(select);
    if (made === undefined) {
      made = this.aside(async (connection) => {
        const path = this.scratch.path('.parquet');
        await connection.run(`COPY (${select}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
        return path;
      });
      this.stubs.set(select, made);
    }
    return made;
  }

  /** Work on the main connection, one after the other: a second statement would cut the first off. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Work on a connection of its own, so that a result which is being streamed on another goes on. */
  private async aside<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await connect(this.instance);
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }

  private async *batches(
    connection: DuckDBConnection,
    batches: RowStream['batches'],
    names: readonly string[],
    code: string,
    what: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Row[]> {
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      for await (const columns of batches) {
        signal?.throwIfAborted();
        yield rowsOf(names, columns);
      }
    } catch (error) {
      throw duckdbFailure(error, code, what, signal);
    } finally {
      signal?.removeEventListener('abort', interrupt);
    }
  }
}
