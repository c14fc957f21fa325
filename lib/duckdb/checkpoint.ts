import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isRecord } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import { duckdbFailure } from './failure.ts';
import { fileLiteral, identifier, literal } from './names.ts';
import { discard, type Scratch } from './scratch.ts';
import { streamRows } from './stream.ts';
import { rowsOf } from './values.ts';

const TEXTS = 'MAP(VARCHAR, VARCHAR)';
const VECTOR =
  'STRUCT("storageType" VARCHAR, "pathOrInlineDv" VARCHAR, "offset" INTEGER, "sizeInBytes" INTEGER, cardinality BIGINT)';
const ROW_IDS = '"baseRowId" BIGINT, "defaultRowCommitVersion" BIGINT';

/** The columns of a classic checkpoint (PROTOCOL.md, "Checkpoint Schema"). */
const COLUMNS: Readonly<Record<string, string>> = {
  txn: 'STRUCT("appId" VARCHAR, "version" BIGINT, "lastUpdated" BIGINT)',
  add: `STRUCT(path VARCHAR, "partitionValues" ${TEXTS}, size BIGINT, "modificationTime" BIGINT, "dataChange" BOOLEAN, stats VARCHAR, tags ${TEXTS}, "deletionVector" ${VECTOR}, ${ROW_IDS}, "clusteringProvider" VARCHAR)`,
  remove: `STRUCT(path VARCHAR, "deletionTimestamp" BIGINT, "dataChange" BOOLEAN, "extendedFileMetadata" BOOLEAN, "partitionValues" ${TEXTS}, size BIGINT, stats VARCHAR, tags ${TEXTS}, "deletionVector" ${VECTOR}, ${ROW_IDS})`,
  metaData: `STRUCT(id VARCHAR, "name" VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, "options" ${TEXTS}), "schemaString" VARCHAR, "partitionColumns" VARCHAR[], "configuration" ${TEXTS}, "createdTime" BIGINT)`,
  protocol:
    'STRUCT("minReaderVersion" INTEGER, "minWriterVersion" INTEGER, "readerFeatures" VARCHAR[], "writerFeatures" VARCHAR[])',
  domainMetadata: 'STRUCT(domain VARCHAR, "configuration" VARCHAR, removed BOOLEAN)',
};

/** What a reader wants of a checkpoint or a sidecar. */
const WANTED = new Set([...Object.keys(COLUMNS), 'sidecar']);

/** Writes actions, one JSON text a line, as a classic checkpoint; see ParquetEngine.writeCheckpoint. */
export async function writeCheckpointFile(
  connection: DuckDBConnection,
  scratch: Scratch,
  store: ObjectStore,
  key: string,
  lines: Iterable<string>,
): Promise<{ readonly size: number }> {
  const json = scratch.path('.json');
  const parquet = scratch.path('.parquet');
  try {
    await pipeline(Readable.from(withBreaks(lines)), createWriteStream(json));
    const columns = Object.entries(COLUMNS).map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    await connection.run(
      `COPY (SELECT * FROM read_json(${fileLiteral(json)}, format = 'newline_delimited', maximum_object_size = 1073741824, columns = {${columns.join(', ')}}))
       TO ${literal(parquet)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    await store.putFile(key, parquet);
    return { size: (await stat(parquet)).size };
  } catch (error) {
    throw duckdbFailure(error, 'CHECKPOINT_FAILED', `The checkpoint ${printable(key, 200)} can't be written`);
  } finally {
    await discard(json);
    await discard(parquet);
  }
}

function* withBreaks(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

/** The rows of a checkpoint, as objects of one action each; see ParquetEngine.readCheckpoint. */
export async function* readCheckpointFile(
  connection: DuckDBConnection,
  path: string,
): AsyncGenerator<Record<string, unknown>[]> {
  const from = `read_parquet(${fileLiteral(path)}, hive_partitioning = false)`;
  const names = await connection.prepare(`SELECT * FROM ${from}`);
  const columns: string[] = [];
  for (let at = 0; at < names.columnCount; at++) {
    const name = names.columnName(at);
    if (WANTED.has(name)) columns.push(name);
  }
  if (columns.length === 0) return;
  const texts = columns.map(
    (name) => `CASE WHEN ${identifier(name)} IS NOT NULL THEN to_json(${identifier(name)})::VARCHAR END`,
  );
  const { batches } = await streamRows(connection, `SELECT ${texts.join(', ')} FROM ${from}`);
  for await (const batch of batches) {
    yield rowsOf(columns, batch).map((row) =>
      Object.fromEntries(
        Object.entries(row).flatMap(([name, text]) => (text === null ? [] : [[name, parsed(String(text), name)]])),
      ),
    );
  }
}

function parsed(text: string, name: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new LakeletError('LOG_CORRUPT', `A checkpoint's ${name} is no struct`);
  // Statistics as a struct serve where their JSON text was left out (delta.checkpoint.writeStatsAsJson = false).
  if (name === 'add' && value.stats === null && isRecord(value.stats_parsed)) {
    value.stats = JSON.stringify(value.stats_parsed);
  }
  return value;
}
