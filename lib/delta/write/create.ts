import { randomUUID } from 'node:crypto';
import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';
import type { Action, Metadata, Protocol } from '../log/actions.ts';
import { commitKey } from '../log/path.ts';
import { FEATURES, needsTimestampNtz } from '../protocol/features.ts';
import { checkWritable } from '../protocol/protocol.ts';
import { checkSchema, findField, type StructType } from '../schema/types.ts';
import { firstSnapshot, type Snapshot } from '../snapshot.ts';
import { putCommit } from './commit.ts';

/** What a new table shall be. */
export interface CreateOptions {
  readonly schema: StructType;
  readonly partitionBy?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * Writes a table's first commit.
 *
 * @returns the table as the commit makes it
 * @throws LakeletError `TABLE_EXISTS`, `SCHEMA_INVALID`, `UNSUPPORTED_FEATURE`, `PARTITION_INVALID`
 */
export async function createTable(store: ObjectStore, options: CreateOptions): Promise<Snapshot> {
  const schema = checkSchema(options.schema);
  if (schema.fields.length === 0) throw new LakeletError('SCHEMA_INVALID', 'A table needs at least one column');
  const partitionColumns = partitionsOf(schema, options.partitionBy ?? []);
  const metadata: Metadata = {
    id: randomUUID(),
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify(schema),
    partitionColumns,
    configuration: { ...options.properties },
    createdTime: Date.now(),
  };
  const protocol = protocolFor(schema);
  refuseActiveFeatures(metadata, schema, store.uri);
  checkWritable(protocol, { metadata, schema }, store.uri);
  const txnId = randomUUID();
  const actions: Action[] = [
    {
      commitInfo: {
        timestamp: Date.now(),
        operation: 'CREATE TABLE',
        operationParameters: {
          partitionBy: JSON.stringify(partitionColumns),
          properties: JSON.stringify(metadata.configuration),
        },
        isolationLevel: 'Serializable',
        isBlindAppend: true,
        operationMetrics: {},
        engineInfo: 'Lakelet',
        txnId,
      },
    },
    { protocol },
    { metaData: metadata },
  ];
  if ((await putCommit(store, 0, txnId, actions)) === 'taken') throw tableExists(store.uri);
  return firstSnapshot(store, { version: 0, key: commitKey(0), lastModified: Date.now(), actions });
}

/** The error of a place that has a table already. */
export function tableExists(uri: string): LakeletError {
  return new LakeletError(
    'TABLE_EXISTS',
    `There is a Delta table at ${printable(uri, 300)} already; open it, or choose another place`,
  );
}

function partitionsOf(schema: StructType, names: readonly string[]): string[] {
  const columns = names.map((name) => {
    const field = findField(schema, name);
    const why =
      field === undefined
        ? 'is no column of the schema'
        : typeof field.type !== 'string' || field.type === 'void'
          ? 'is of a type that cannot name a partition'
          : undefined;
    if (field === undefined || why !== undefined) {
      throw new LakeletError(
        'PARTITION_INVALID',
        `The table can't be partitioned by ${printable(name, 100)}: it ${why}`,
      );
    }
    return field.name;
  });
  if (new Set(columns).size < columns.length) {
    throw new LakeletError('PARTITION_INVALID', 'A column is named twice among those to partition by');
  }
  if (columns.length === schema.fields.length) {
    throw new LakeletError('PARTITION_INVALID', 'A table needs a column that it is not partitioned by');
  }
  return columns;
}

/** The least protocol that the schema needs, so that most clients can use the table. */
function protocolFor(schema: StructType): Protocol {
  if (!needsTimestampNtz(schema)) return { minReaderVersion: 1, minWriterVersion: 2 };
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['appendOnly', 'invariants', 'timestampNtz'],
  };
}

/** A property that would switch on what this library can't write makes no table that it could not use afterwards. */
function refuseActiveFeatures(metadata: Metadata, schema: StructType, uri: string): void {
  const feature = FEATURES.find(({ write, active }) => write === 'inactive' && active({ metadata, schema }));
  if (feature === undefined) return;
  throw new LakeletError(
    'UNSUPPORTED_FEATURE',
    `The table ${printable(uri, 300)} would need the table feature ${feature.name}, which Lakelet can't write yet; leave its property or its column's metadata out`,
  );
}
