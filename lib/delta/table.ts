import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import type { ParquetEngine, Row, Source } from './engine.ts';
import { parseInstant } from './expr/instants.ts';
import { fileFilter } from './expr/skipping.ts';
import type { Action, AddFile, CommitInfo } from './log/actions.ts';
import { writeCheckpoint } from './log/checkpoint.ts';
import { commitInfoOf, type HistoryEntry, readHistory, versionAt } from './log/history.ts';
import { commitKey } from './log/path.ts';
import { readCommit, readCommits } from './log/replay.ts';
import { commitsAfter, hasLog } from './log/segment.ts';
import { timeText } from './log/time.ts';
import { checkOptions, invalidOption } from './options.ts';
import { integerOf, isSet } from './protocol/properties.ts';
import { checkWritable, listedFeatures } from './protocol/protocol.ts';
import { keyOfPath, pathOfKey } from './scan/file-path.ts';
import { type FileStats, parseStats } from './scan/stats.ts';
import { physicalName } from './schema/column-mapping.ts';
import { findField, isRecord, type StructType } from './schema/types.ts';
import { advanceSnapshot, loadSnapshot, type Snapshot } from './snapshot.ts';
import { type CreateOptions, createTable, tableExists } from './write/create.ts';
import { commit, doneAlready, type TxnOption } from './write/transaction.ts';

/** Which version to open. */
export interface OpenOptions {
  /** 0 or more; the newest where neither this nor `timestamp` is given. */
  readonly version?: number;
  /** The newest version that was there at this instant: a Date, or ISO 8601 (UTC where it names no zone). */
  readonly timestamp?: string | Date;
}

/** What to read. */
export interface ScanOptions {
  /** Column names, in the order wanted; all where absent. */
  readonly columns?: readonly string[];
  /** A SQL condition over the table's columns, as DuckDB understands it; rows for which it is true are read. */
  readonly where?: string;
  readonly signal?: AbortSignal;
}

/** How to write. */
export interface WriteOptions {
  /** The step that this write is of: done once, however often it is asked for. */
  readonly txn?: TxnOption;
  /** Further fields of the commit's commitInfo. */
  readonly commitInfo?: CommitInfo;
  /** True where the rows of an append were made by looking at the table: then what others add or remove meanwhile stands against it. */
  readonly readsTable?: boolean;
  readonly signal?: AbortSignal;
}

/** Delta's names of a write's metrics. */
export interface WriteMetrics {
  readonly numOutputRows: number;
  readonly numAddedFiles: number;
  readonly numRemovedFiles: number;
  readonly numOutputBytes: number;
}

/** What a write did. */
export interface WriteResult {
  /** The version that holds the write. */
  readonly version: number;
  readonly metrics: WriteMetrics;
  /** Set where the table held the write's `txn` already, so that nothing was written. */
  readonly alreadyCommitted?: true;
}

/** A live data file. */
export interface TableFile {
  /** Its key below the table, not percent-encoded. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** ISO 8601, UTC. */
  readonly modificationTime: string;
  readonly numRecords?: number;
  readonly stats?: FileStats;
}

/** A table at a glance, by the names of Spark's DESCRIBE DETAIL. */
export interface Detail {
  readonly format: string;
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly location: string;
  readonly createdAt: string | null;
  readonly lastModified: string;
  readonly partitionColumns: readonly string[];
  readonly clusteringColumns: readonly string[];
  readonly numFiles: number;
  readonly sizeInBytes: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly tableFeatures: readonly string[];
  readonly version: number;
  readonly schema: StructType;
}

const NOTHING_WRITTEN: WriteMetrics = { numOutputRows: 0, numAddedFiles: 0, numRemovedFiles: 0, numOutputBytes: 0 };

/**
 * A Delta table at one version, from which it can be read, and on top of which it can be written; after a write it stands
 * at the version that it made. Nothing of it has to be closed.
 */
export class DeltaTable {
  private readonly store: ObjectStore;
  private readonly engine: ParquetEngine;
  private snapshot: Snapshot;

  private constructor(store: ObjectStore, engine: ParquetEngine, snapshot: Snapshot) {
    this.store = store;
    this.engine = engine;
    this.snapshot = snapshot;
  }

  /** @throws LakeletError `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `UNSUPPORTED_FEATURE`, `LOG_CORRUPT`, `INVALID_OPTION` */
  static async open(store: ObjectStore, engine: ParquetEngine, options: OpenOptions = {}): Promise<DeltaTable> {
    return new DeltaTable(store, engine, await loadSnapshot(store, engine, await wantedVersion(store, options)));
  }

  /** @throws LakeletError `TABLE_EXISTS`, `SCHEMA_INVALID`, `PARTITION_INVALID`, `UNSUPPORTED_FEATURE` */
  static async create(store: ObjectStore, engine: ParquetEngine, options: CreateOptions): Promise<DeltaTable> {
    if (await DeltaTable.exists(store)) throw tableExists(store.uri);
    return new DeltaTable(store, engine, await createTable(store, options));
  }

  /** True where there is a log with a commit. */
  static async exists(store: ObjectStore): Promise<boolean> {
    return hasLog(store);
  }

  /** Where the table lies. */
  get uri(): string {
    return this.store.uri;
  }

  get version(): number {
    return this.snapshot.version;
  }

  get schema(): StructType {
    return this.snapshot.schema;
  }

  get partitionColumns(): readonly string[] {
    return this.snapshot.metadata.partitionColumns;
  }

  /** `delta.appendOnly` and the like. */
  get properties(): Readonly<Record<string, string>> {
    return this.snapshot.metadata.configuration;
  }

  /** Goes to the newest version, reading only the commits that are new. */
  async refresh(): Promise<void> {
    const commits = [];
    for await (const each of readCommits(this.store, await commitsAfter(this.store, this.version))) commits.push(each);
    this.snapshot = advanceSnapshot(this.store, this.snapshot, commits);
  }

  /**
   * The live files; of those, where a condition is given, the ones that may hold a row that fulfils it.
   *
   * @throws LakeletError `INVALID_PREDICATE`
   */
  async files(options: { readonly where?: string } = {}): Promise<TableFile[]> {
    checkOptions(options);
    return (await this.select(options.where)).map((add) => this.fileOf(add));
  }

  /** The table at a glance. */
  async detail(): Promise<Detail> {
    const { metadata, protocol, state, schema, version } = this.snapshot;
    const [last] = await readHistory(this.store, version, 1);
    return {
      format: 'delta',
      id: metadata.id,
      name: metadata.name ?? null,
      description: metadata.description ?? null,
      location: this.uri,
      createdAt: metadata.createdTime === undefined ? null : timeText(metadata.createdTime),
      lastModified: last?.timestamp ?? timeText(0),
      partitionColumns: metadata.partitionColumns,
      clusteringColumns: [],
      numFiles: state.adds.size,
      sizeInBytes: [...state.adds.values()].reduce((sum, { size }) => sum + size, 0),
      properties: metadata.configuration,
      minReaderVersion: protocol.minReaderVersion,
      minWriterVersion: protocol.minWriterVersion,
      tableFeatures: listedFeatures(protocol),
      version,
      schema,
    };
  }

  /**
   * The rows, in batches of some thousands, never empty; in no order that is promised. The iterator may be left early.
   *
   * @throws LakeletError `COLUMN_NOT_FOUND`, `INVALID_OPTION`, `INVALID_PREDICATE`, `FILE_MISSING`, `SCAN_FAILED`, `ABORTED`
   */
  async *scan(options: ScanOptions = {}): AsyncGenerator<Row[], void, undefined> {
    checkOptions(options);
    const { where, signal } = options;
    const columns = this.columnsOf(options.columns);
    const adds = await this.select(where);
    if (columns.length === 0) return;
    yield* this.engine.scan({
      ...this.plan(adds),
      columns,
      ...(where !== undefined && { where }),
      ...(signal !== undefined && { signal }),
    });
  }

  /** What an engine must know to read all of the table at this version. */
  scanPlan(): Parameters<ParquetEngine['scan']>[0] {
    return { ...this.plan([...this.snapshot.state.adds.values()]), columns: this.columnsOf(undefined) };
  }

  /**
   * Adds rows in one commit. Whatever others commit meanwhile, unless they change schema or protocol, stands beside it.
   *
   * @throws LakeletError `UNSUPPORTED_FEATURE`, `SCHEMA_MISMATCH`, `INVALID_VALUE`, `NOT_NULL_VIOLATED`, conflicts, store errors
   */
  append(source: Source, options: WriteOptions = {}): Promise<WriteResult> {
    return this.write(source, options, false);
  }

  /**
   * Replaces all rows in one commit. A row that others added or removed meanwhile refuses it (`CONCURRENT_APPEND`,
   * `CONCURRENT_DELETE_READ`; both may be tried again from a fresh table).
   *
   * @throws LakeletError as {@link append}, and `APPEND_ONLY`
   */
  overwrite(source: Source, options: WriteOptions = {}): Promise<WriteResult> {
    return this.write(source, options, true);
  }

  /** The commits up to this version that the log still has, newest first. */
  async history(options: { readonly limit?: number } = {}): Promise<HistoryEntry[]> {
    checkOptions(options);
    return readHistory(this.store, this.version, options.limit);
  }

  /** The commitInfo of a version, as it was written; undefined where that commit has none. Throws `VERSION_NOT_FOUND`. */
  async commitInfo(version: number): Promise<CommitInfo | undefined> {
    try {
      return commitInfoOf(await readCommit(this.store, { version, key: commitKey(version), lastModified: 0 }));
    } catch (error) {
      if (!(error instanceof LakeletError && error.code === 'NOT_FOUND')) throw error;
      throw new LakeletError(
        'VERSION_NOT_FOUND',
        `The log of ${printable(this.uri, 300)} holds no commit ${version} (any more)`,
        { cause: error },
      );
    }
  }

  /** How far an application has come, by its `txn` actions. */
  async txnVersion(appId: string): Promise<number | undefined> {
    return this.snapshot.state.txns.get(appId)?.version;
  }

  /** Writes a checkpoint of this version, so that opening reads one file instead of all commits before it. */
  async checkpoint(): Promise<{ readonly version: number }> {
    checkWritable(this.snapshot.protocol, this.snapshot, this.uri);
    await writeCheckpoint(this.store, this.engine, this.snapshot);
    return { version: this.version };
  }

  private async write(source: Source, options: WriteOptions, overwrite: boolean): Promise<WriteResult> {
    checkOptions(options);
    const before = this.snapshot;
    checkWritable(before.protocol, before, this.uri);
    const done = this.alreadyCommitted(options);
    if (done !== undefined) return done;
    if (overwrite && isSet(this.properties, 'delta.appendOnly')) throw appendOnly(this.uri);
    const removed = overwrite ? [...before.state.adds.values()] : [];
    const { signal } = options;
    const staged = await this.engine.stage(source, {
      store: this.store,
      schema: this.schema,
      partitionColumns: this.partitionColumns,
      properties: this.properties,
      ...(signal !== undefined && { signal }),
    });
    const metrics: WriteMetrics = {
      numOutputRows: staged.reduce((sum, { rows }) => sum + rows, 0),
      numAddedFiles: staged.length,
      numRemovedFiles: removed.length,
      numOutputBytes: staged.reduce((sum, { size }) => sum + size, 0),
    };
    const now = Date.now();
    const actions: Action[] = [
      ...removed.map((add) => ({ remove: removeOf(add, now) })),
      ...staged.map(({ key, size, partitionValues, stats }) => ({
        add: { path: pathOfKey(key), partitionValues, size, modificationTime: now, dataChange: true, stats },
      })),
    ];
    try {
      signal?.throwIfAborted();
      const committed = await commit(this.store, before, {
        operation: 'WRITE',
        operationParameters: {
          mode: overwrite ? 'Overwrite' : 'Append',
          partitionBy: JSON.stringify(this.partitionColumns),
        },
        operationMetrics: {
          numFiles: String(metrics.numAddedFiles),
          ...Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, String(value)])),
        },
        actions,
        blind: !overwrite && options.readsTable !== true,
        ...(options.txn !== undefined && { txn: options.txn }),
        ...(options.commitInfo !== undefined && { commitInfo: options.commitInfo }),
      });
      this.snapshot = committed.snapshot;
    } catch (error) {
      return await this.settle(error, options, staged);
    }
    await this.checkpointIfDue();
    return { version: this.version, metrics };
  }

  /** After a commit that did not come about: its files go, and where another run of the same step won, that is the result. */
  private async settle(
    error: unknown,
    options: WriteOptions,
    staged: readonly { readonly key: string }[],
  ): Promise<WriteResult> {
    if (error instanceof LakeletError && error.code === 'COMMIT_UNKNOWN') throw error;
    await Promise.all(staged.map(({ key }) => this.store.delete(key)));
    if (error instanceof LakeletError && error.code === 'CONCURRENT_TRANSACTION') {
      await this.refresh();
      const done = this.alreadyCommitted(options);
      if (done !== undefined) return done;
    }
    if (options.signal?.aborted === true && error === options.signal.reason) {
      throw new LakeletError('ABORTED', `The write to ${printable(this.uri, 300)} was stopped; nothing was changed`, {
        cause: error,
      });
    }
    throw error;
  }

  private alreadyCommitted({ txn }: WriteOptions): WriteResult | undefined {
    const version = doneAlready(this.snapshot, txn);
    if (version === undefined) return undefined;
    return {
      version: txn?.version === undefined ? version : this.version,
      metrics: NOTHING_WRITTEN,
      alreadyCommitted: true,
    };
  }

  /** The commit stands whether or not its checkpoint comes about, so that a failure is told as a warning of the process. */
  private async checkpointIfDue(): Promise<void> {
    const interval = integerOf(this.properties, 'delta.checkpointInterval', 10, 1);
    if (this.version % interval !== 0) return;
    try {
      await writeCheckpoint(this.store, this.engine, this.snapshot);
    } catch (error) {
      process.emitWarning(
        `Version ${this.version} of ${printable(this.uri, 300)} is committed, but its checkpoint could not be written: ${error instanceof Error ? printable(error.message) : 'unknown'}`,
        { code: 'LAKELET_CHECKPOINT_FAILED' },
      );
    }
  }

  private async select(where: string | undefined): Promise<AddFile[]> {
    const adds = [...this.snapshot.state.adds.values()];
    if (where === undefined) return adds;
    const predicate = await this.engine.parsePredicate(where, this.schema);
    const keep = fileFilter(predicate, this.schema, this.partitionColumns);
    return adds.filter(({ partitionValues, stats }) => keep({ partitionValues, stats: parseStats(stats) }));
  }

  private plan(adds: readonly AddFile[]) {
    return {
      store: this.store,
      schema: this.schema,
      physical: this.snapshot.physical,
      byId: this.snapshot.mapping === 'id',
      partitionColumns: this.partitionColumns,
      files: adds.map((add) => ({
        key: keyOfPath(this.store, add.path),
        size: add.size,
        modificationTime: add.modificationTime,
        partitionValues: this.partitionOf(add),
      })),
    };
  }

  /** A file's partition values by the names that the schema has for its columns. */
  private partitionOf({ partitionValues }: AddFile): Readonly<Record<string, string | null>> {
    if (this.snapshot.mapping === 'none') return partitionValues;
    const fields = this.partitionColumns.flatMap((name) => findField(this.schema, name) ?? []);
    return Object.fromEntries(
      fields.map((field) => [field.name, partitionValues[physicalName(field, this.snapshot.mapping)] ?? null]),
    );
  }

  private columnsOf(names: readonly string[] | undefined): string[] {
    if (names === undefined) return this.schema.fields.map(({ name }) => name);
    if (names.length === 0) throw invalidOption('it names no column to read; leave `columns` out to read all');
    return names.map((name) => {
      const field = findField(this.schema, name);
      if (field !== undefined) return field.name;
      throw new LakeletError(
        'COLUMN_NOT_FOUND',
        `The table ${printable(this.uri, 300)} has no column ${printable(name, 100)}; it has ${printable(this.schema.fields.map((each) => each.name).join(', '), 500)}`,
      );
    });
  }

  private fileOf(add: AddFile): TableFile {
    const { path, size, modificationTime, stats: text } = add;
    const stats = parseStats(text);
    const numRecords = stats?.numRecords;
    return {
      path: keyOfPath(this.store, path),
      size,
      partitionValues: this.partitionOf(add),
      modificationTime: timeText(modificationTime),
      ...(typeof numRecords === 'number' && { numRecords }),
      ...(stats !== undefined && { stats }),
    };
  }
}

function removeOf(add: AddFile, deletionTimestamp: number) {
  const { path, partitionValues, size, tags } = add;
  return {
    path,
    deletionTimestamp,
    dataChange: true,
    extendedFileMetadata: true,
    partitionValues,
    size,
    ...(tags !== undefined && { tags }),
  };
}

async function wantedVersion(store: ObjectStore, { version, timestamp }: OpenOptions): Promise<number | undefined> {
  if (version !== undefined) {
    if (timestamp !== undefined) throw invalidOption('a version and a timestamp exclude each other');
    if (!Number.isSafeInteger(version) || version < 0) throw invalidOption('a version is a whole number from 0');
    return version;
  }
  if (timestamp === undefined) return undefined;
  const instant = typeof timestamp === 'string' ? instantOf(timestamp) : millisOf(timestamp);
  if (!Number.isFinite(instant)) throw invalidOption(`${printable(String(timestamp), 100)} is no time; give ISO 8601`);
  if (!(await DeltaTable.exists(store))) return undefined;
  return versionAt(store, instant);
}

/** A Date, also one of another realm; NaN for what is none. */
function millisOf(date: unknown): number {
  return isRecord(date) && typeof date.getTime === 'function' ? Number(date.getTime()) : Number.NaN;
}

function instantOf(text: string): number {
  const instant = parseInstant(text.trim());
  return instant === undefined ? Number.NaN : Number(instant.micros / 1000n);
}

function appendOnly(uri: string): LakeletError {
  return new LakeletError(
    'APPEND_ONLY',
    `The table ${printable(uri, 300)} is append-only (delta.appendOnly), so its rows can't be replaced; append to it`,
  );
}
