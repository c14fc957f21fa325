import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { mapAll } from '../concurrency.ts';
import type { Source, StagedFile, StageTarget } from '../delta/engine.ts';
import { findField, type StructField, type StructType } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';
import { duckdbFailure } from './failure.ts';
import { fileLiteral, identifier, literal } from './names.ts';
import { nullViolation, withoutNulls } from './not-null.ts';
import { partitionText } from './partition-text.ts';
import { loadRows } from './rows.ts';
import { discard, type Scratch } from './scratch.ts';
import { type ColumnStatistics, statsJson } from './stats.ts';
import { canTake, sqlType } from './types.ts';

/** Rows that DuckDB takes from a file as one piece of work: small enough for two cores to share 100,000 rows. */
export const ROW_GROUP_ROWS = 40_960;
/** Partitions' files that are put into the store at once. */
const PUTS_AT_ONCE = 8;

/** A name for the column that carries a partition's number through COPY, which no column of the table has. */
function numberColumn(schema: StructType): string {
  let name = '__lakelet_partition';
  while (findField(schema, name) !== undefined) name += '_';
  return name;
}

/** What a COPY wrote. */
interface Written {
  readonly path: string;
  readonly rows: number;
  readonly size: number;
  readonly columns: ReadonlyMap<string, ColumnStatistics>;
  /** The partition's number, where there are partitions. */
  readonly partition?: number;
}

/** Writes a source's rows as data files; see ParquetEngine.stage. */
export async function stageFiles(
  connection: DuckDBConnection,
  scratch: Scratch,
  source: Source,
  target: StageTarget,
): Promise<StagedFile[]> {
  const what = `Rows for ${printable(target.store.uri, 300)} can't be written`;
  const interrupt = (): void => connection.interrupt();
  target.signal?.addEventListener('abort', interrupt);
  let loaded: string | undefined;
  try {
    target.signal?.throwIfAborted();
    if ('rows' in source) loaded = await loadRows(connection, source.rows, target);
    const select = loaded === undefined ? selectOf(source) : `SELECT * FROM ${identifier(loaded)}`;
    const projection = await projectionOf(connection, select, target);
    return target.partitionColumns.length === 0
      ? await stageWhole(connection, scratch, projection, target)
      : await stagePartitions(connection, scratch, projection, target);
  } catch (error) {
    throw nullViolation(error, target.store.uri) ?? duckdbFailure(error, 'WRITE_FAILED', what, target.signal);
  } finally {
    target.signal?.removeEventListener('abort', interrupt);
    if (loaded !== undefined) await connection.run(`DROP TABLE ${identifier(loaded)}`);
  }
}

function selectOf(source: Source): string {
  // As a constant the source's SQL keeps its own end, whatever follows it (a semicolon, a comment).
  if ('sql' in source) return `FROM query(${literal(source.sql)})`;
  if ('parquet' in source) {
    const paths = [source.parquet].flat().map(fileLiteral).join(', ');
    return `SELECT * FROM read_parquet([${paths}], union_by_name = true, hive_partitioning = false)`;
  }
  throw new LakeletError('INVALID_OPTION', 'A source is one of {rows}, {parquet} and {sql}');
}

/** The source's columns as the table has them: found by name, cast without loss, NULL where the source has none. */
async function projectionOf(connection: DuckDBConnection, select: string, target: StageTarget): Promise<string> {
  const { schema, partitionColumns } = target;
  let statement: DuckDBPreparedStatement;
  try {
    statement = await connection.prepare(`SELECT * FROM (${select}\n) AS source`);
  } catch (error) {
    throw duckdbFailure(error, 'INVALID_SOURCE', "The source's SQL can't be run");
  }
  const columns = columnsOf(statement, target);
  const fields = schema.fields.map((field) => {
    const name = columns.get(field.name);
    const value =
      name === undefined
        ? `CAST(NULL AS ${sqlType(field.type)})`
        : `CAST(${identifier(name)} AS ${sqlType(field.type)})`;
    const checked = withoutNulls(value, field);
    return `${partitionColumns.includes(field.name) ? emptyAsNull(checked, field) : checked} AS ${identifier(field.name)}`;
  });
  return `SELECT ${fields.join(', ')} FROM (${select}\n) AS source`;
}

/** By the field's name, the source's spelling of its column. */
function columnsOf(statement: DuckDBPreparedStatement, { schema, store }: StageTarget): Map<string, string> {
  const columns = new Map<string, string>();
  for (let at = 0; at < statement.columnCount; at++) {
    const name = statement.columnName(at);
    const type = statement.columnType(at);
    const field = findField(schema, name);
    const mismatch = (why: string): LakeletError =>
      new LakeletError(
        'SCHEMA_MISMATCH',
        `The source does not fit the table ${printable(store.uri, 300)}: its column ${printable(name, 100)} ${why}; nothing was written`,
      );
    if (field === undefined) {
      throw mismatch(`is none of the table's (${printable(schema.fields.map((each) => each.name).join(', '), 300)})`);
    }
    if (columns.has(field.name)) throw mismatch('is there twice');
    if (!canTake(field.type, type)) {
      throw mismatch(
        `is of type ${printable(type.toString(), 100)}, the table's of ${printable(sqlType(field.type), 100)}: cast it in the source's SQL`,
      );
    }
    columns.set(field.name, name);
  }
  return columns;
}

/** The protocol has no empty partition value: written, it reads as NULL. */
function emptyAsNull(value: string, field: StructField): string {
  if (field.type === 'string') return `nullif(${value}, '')`;
  return field.type === 'binary' ? `nullif(${value}, ''::BLOB)` : value;
}

/**
 * One file, whatever the source's size: COPY that begins a new file at some size writes row groups in the order in which
 * threads finish them, and the rows' order would be lost.
 */
async function stageWhole(
  connection: DuckDBConnection,
  scratch: Scratch,
  projection: string,
  target: StageTarget,
): Promise<StagedFile[]> {
  const key = `part-${randomUUID()}.parquet`;
  const own = target.store.localPath(key);
  // Where objects are local files, they are written where they belong; a name of ours can't meet another.
  const path = own ?? scratch.path('.parquet');
  const columns = dataColumns(target).map(({ name: column }) => identifier(column));
  const select = `SELECT ${columns.join(', ')} FROM (${projection})`;
  try {
    await mkdir(dirname(path), { recursive: true });
    // Not under a passing name first, which would be left behind where COPY is cut off.
    const [file] = await copy(connection, select, path, ['PRESERVE_ORDER true', 'USE_TMP_FILE false'], target);
    if (file === undefined || file.rows === 0) {
      await discard(path);
      return [];
    }
    await target.store.putFile(key, path);
    return [stagedFile(key, file, {}, target)];
  } catch (error) {
    // Also what a COPY that was cut off has left.
    await target.store.delete(key);
    throw error;
  } finally {
    if (own === undefined) await discard(path);
  }
}

/**
 * Each distinct tuple of partition values gets a number, by which COPY tells the files apart; so no value has to survive
 * a folder's name.
 */
async function stagePartitions(
  connection: DuckDBConnection,
  scratch: Scratch,
  projection: string,
  target: StageTarget,
): Promise<StagedFile[]> {
  const rows = identifier(`lakelet_rows_${randomUUID()}`);
  const parts = identifier(`lakelet_partitions_${randomUUID()}`);
  const names = target.partitionColumns.map(identifier);
  const number = numberColumn(target.schema);
  const folder = scratch.path();
  const tried: string[] = [];
  try {
    await connection.run(`CREATE TEMP TABLE ${rows} AS ${projection}`);
    await connection.run(
      `CREATE TEMP TABLE ${parts} AS SELECT *, row_number() OVER () AS ${number} FROM (SELECT DISTINCT ${names.join(', ')} FROM ${rows})`,
    );
    const values = await partitionValues(connection, parts, number, target);
    if (values.size === 0) return [];
    const columns = dataColumns(target).map(({ name }) => `r.${identifier(name)}`);
    const same = names.map((name) => `r.${name} IS NOT DISTINCT FROM p.${name}`).join(' AND ');
    const written = await copy(
      connection,
      `SELECT ${columns.join(', ')}, p.${number} FROM ${rows} AS r JOIN ${parts} AS p ON ${same}`,
      folder,
      [`PARTITION_BY (${number})`, "FILENAME_PATTERN 'part-{uuid}'"],
      target,
    );
    const put = async (file: Written): Promise<StagedFile> => {
      const partition = values.get(file.partition ?? 0) ?? {};
      const key = partitionKey(file.path, partition, target.partitionColumns);
      // Also a put that failed may have been done.
      tried.push(key);
      await target.store.putFile(key, file.path);
      return stagedFile(key, file, partition, target);
    };
    return await mapAll(written, PUTS_AT_ONCE, put);
  } catch (error) {
    await Promise.all(tried.map((key) => target.store.delete(key)));
    throw error;
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${rows}`);
    await connection.run(`DROP TABLE IF EXISTS ${parts}`);
    await discard(folder);
  }
}

/** Where a partition's file goes: below a folder for each partition column. */
function partitionKey(path: string, partition: PartitionValues, columns: readonly string[]): string {
  const folders = columns.map((name) => `${escaped(name)}=${escaped(partition[name] ?? NULL_FOLDER)}`);
  return [...folders, basename(path)].join('/');
}

const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__';

/** Fit for a folder's name on any system; what the name says is for people, the log has the value. */
function escaped(text: string): string {
  const safe = encodeURIComponent(text).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return safe.slice(0, 120);
}

type PartitionValues = Readonly<Record<string, string | null>>;

async function partitionValues(
  connection: DuckDBConnection,
  parts: string,
  number: string,
  { schema, partitionColumns }: StageTarget,
): Promise<Map<number, PartitionValues>> {
  const texts = partitionColumns.map((name) =>
    partitionText(identifier(name), findField(schema, name)?.type ?? 'string'),
  );
  const reader = await connection.runAndReadAll(`SELECT ${number}, ${texts.join(', ')} FROM ${parts}`);
  return new Map(
    reader
      .getRows()
      .map(([found, ...values]) => [
        Number(found),
        Object.fromEntries(partitionColumns.map((name, at) => [name, values[at] === null ? null : String(values[at])])),
      ]),
  );
}

function dataColumns({ schema, partitionColumns }: StageTarget): StructType['fields'] {
  return schema.fields.filter(({ name, type }) => type !== 'void' && !partitionColumns.includes(name));
}

async function copy(
  connection: DuckDBConnection,
  select: string,
  path: string,
  options: readonly string[],
  { properties }: StageTarget,
): Promise<Written[]> {
  const all = [
    'FORMAT parquet',
    'RETURN_STATS true',
    `ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`,
    `COMPRESSION ${codecOf(properties)}`,
    ...options,
  ];
  const reader = await connection.runAndReadAll(`COPY (${select}) TO ${literal(path)} (${all.join(', ')})`);
  return reader.getRowObjectsJson().map((row) => {
    const [partition] = entriesOf(row.partition_keys).values();
    return {
      path: String(row.filename),
      rows: Number(row.count),
      size: Number(row.file_size_bytes),
      columns: new Map([...entriesOf(row.column_statistics)].map(([name, map]) => [name, textsOf(map)])),
      ...(partition !== undefined && { partition: Number(partition) }),
    };
  });
}

const CODECS = ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw'];

function codecOf(properties: StageTarget['properties']): string {
  const name = properties['delta.parquet.compression.codec']?.toLowerCase() ?? 'zstd';
  const codec = name === 'none' ? 'uncompressed' : name;
  if (CODECS.includes(codec)) return codec;
  throw new LakeletError(
    'PROPERTY_INVALID',
    `The table's property delta.parquet.compression.codec is ${printable(name, 50)}: Lakelet writes ${CODECS.join(', ')}`,
  );
}

/** A MAP of DuckDB in its JSON form: a list of {key, value}. */
function entriesOf(map: unknown): Map<string, unknown> {
  return new Map(
    Array.isArray(map) ? map.map((entry: { key: unknown; value: unknown }) => [String(entry.key), entry.value]) : [],
  );
}

function textsOf(map: unknown): ColumnStatistics {
  return new Map([...entriesOf(map)].map(([name, value]) => [name, String(value)]));
}

function stagedFile(key: string, file: Written, values: PartitionValues, target: StageTarget): StagedFile {
  const { schema, partitionColumns, properties } = target;
  return {
    key,
    size: file.size,
    rows: file.rows,
    partitionValues: values,
    stats: statsJson(schema, partitionColumns, properties, file.rows, file.columns),
  };
}
