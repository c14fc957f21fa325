import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import type { ParquetEngine } from './engine.ts';
import type { Metadata, Protocol } from './log/actions.ts';
import { advance, type LogState, type ReadCommit, replay } from './log/replay.ts';
import { findSegment, type LogSegment } from './log/segment.ts';
import { checkKnown, checkReadable } from './protocol/protocol.ts';
import { type MappingMode, mappingMode, physicalSchema } from './schema/column-mapping.ts';
import { findField, parseSchema, type StructType } from './schema/types.ts';

/** A table at one version; it never changes. */
export interface Snapshot {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly schema: StructType;
  readonly mapping: MappingMode;
  /** The schema as data files have it. */
  readonly physical: StructType;
  readonly state: LogState;
}

/**
 * The table at a version, the newest where none is given, refused where this library can't read it.
 *
 * @throws LakeletError `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `UNSUPPORTED_FEATURE`, `LOG_CORRUPT`
 */
export async function loadSnapshot(store: ObjectStore, engine: ParquetEngine, version?: number): Promise<Snapshot> {
  const segment = await findSegment(store, version);
  if (segment === undefined) {
    throw new LakeletError(
      'TABLE_NOT_FOUND',
      `There is no Delta table at ${printable(store.uri, 300)}: it has no _delta_log with a commit; check the place, or create the table first`,
    );
  }
  return replaySnapshot(store, engine, segment);
}

/** A table as its first commit makes it. */
export function firstSnapshot(store: ObjectStore, commit: ReadCommit): Snapshot {
  return snapshotOf(store, commit.version, advance(undefined, [commit]));
}

/** The table after further commits. */
export function advanceSnapshot(store: ObjectStore, base: Snapshot, commits: readonly ReadCommit[]): Snapshot {
  const last = commits.at(-1);
  return last === undefined ? base : snapshotOf(store, last.version, advance(base.state, commits));
}

async function replaySnapshot(store: ObjectStore, engine: ParquetEngine, segment: LogSegment): Promise<Snapshot> {
  return snapshotOf(store, segment.version, await replay(store, engine, segment));
}

function snapshotOf(store: ObjectStore, version: number, state: LogState): Snapshot {
  const { protocol, metadata } = state;
  if (protocol === undefined || metadata === undefined) {
    const missing = protocol === undefined ? 'protocol' : 'metaData';
    throw new LakeletError(
      'LOG_CORRUPT',
      `The log of ${printable(store.uri, 300)} has no ${missing} action up to version ${version}; restore its first commits from a copy`,
    );
  }
  checkKnown(protocol, store.uri);
  const schema = parseSchema(metadata.schemaString);
  checkReadable(protocol, { metadata, schema }, store.uri);
  refuseDeletionVectors(store, state);
  for (const name of metadata.partitionColumns) {
    if (findField(schema, name) === undefined) {
      throw new LakeletError(
        'LOG_CORRUPT',
        `The log of ${printable(store.uri, 300)} partitions by ${printable(name, 100)}, which is no column of its schema`,
      );
    }
  }
  const mapping = mappingMode(metadata.configuration, store.uri);
  return { version, protocol, metadata, schema, mapping, physical: physicalSchema(schema, mapping), state };
}

/** A table may have the feature and no file that makes use of it; one with deleted rows inside its files is refused. */
function refuseDeletionVectors(store: ObjectStore, { adds }: LogState): void {
  for (const { deletionVector } of adds.values()) {
    if (deletionVector === undefined) continue;
    throw new LakeletError(
      'UNSUPPORTED_FEATURE',
      `The table ${printable(store.uri, 300)} needs the table feature deletionVectors, which Lakelet can't read yet; nothing was touched: purge its deletion vectors (REORG TABLE … APPLY (PURGE)) with the client that made the table`,
    );
  }
}
