import type { ObjectStore } from '../../storage/index.ts';
import type { ParquetEngine } from '../engine.ts';
import { durationOf } from '../protocol/properties.ts';
import type { Snapshot } from '../snapshot.ts';
import type { RemoveFile } from './actions.ts';
import { checkpointKey, LAST_CHECKPOINT_KEY } from './path.ts';

const encoder = new TextEncoder();
const WEEK = 7 * 24 * 3600 * 1000;

/**
 * Writes the classic checkpoint of a snapshot, then `_last_checkpoint` (PROTOCOL.md, "Checkpoints"). Tombstones that are
 * older than `delta.deletedFileRetentionDuration` are left out.
 */
export async function writeCheckpoint(store: ObjectStore, engine: ParquetEngine, snapshot: Snapshot): Promise<void> {
  const key = checkpointKey(snapshot.version);
  const retention = durationOf(snapshot.metadata.configuration, 'delta.deletedFileRetentionDuration', WEEK);
  const lines = checkpointLines(snapshot, Date.now() - retention);
  const { size } = await engine.writeCheckpoint(store, key, lines);
  const last = {
    version: snapshot.version,
    size: lines.length,
    sizeInBytes: size,
    numOfAddFiles: snapshot.state.adds.size,
  };
  await store.put(LAST_CHECKPOINT_KEY, encoder.encode(JSON.stringify(last)));
}

function checkpointLines({ state, protocol, metadata }: Snapshot, keepAfter: number): string[] {
  const lines = [JSON.stringify({ protocol }), JSON.stringify({ metaData: metadata })];
  for (const txn of state.txns.values()) lines.push(JSON.stringify({ txn }));
  for (const domainMetadata of state.domains.values()) lines.push(JSON.stringify({ domainMetadata }));
  for (const add of state.adds.values()) lines.push(JSON.stringify({ add: { ...add, dataChange: false } }));
  for (const remove of state.removes.values()) {
    if (isKept(remove, keepAfter)) lines.push(JSON.stringify({ remove: { ...remove, dataChange: false } }));
  }
  return lines;
}

/** A tombstone without a time counts as removed at 0 (PROTOCOL.md, "Add File and Remove File"). */
function isKept(remove: RemoveFile, keepAfter: number): boolean {
  return (remove.deletionTimestamp ?? 0) > keepAfter;
}
