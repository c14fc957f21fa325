import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { fromStored, STORED, type StoredRecord, toStored } from './record-format.ts';
import type { TrainingRecord } from './training.ts';

/** A training as it is kept, and the experiment that it belongs to. */
export interface KeptRecord {
  readonly experimentName: string;
  readonly training: TrainingRecord;
}

const RUNS = 'runs/';

/**
 * Keeps a training in Lakelet's own format: the bytes of its model, held-out rows and artifacts under `blobs/<sha256>`, then
 * `runs/<run id>.json`, which names them. A process that dies in between leaves blobs that nothing names, and no record.
 *
 * @returns `exists` where a record of that run id is there already; it stays as it is
 */
export async function keepRecord(
  store: ObjectStore,
  { experimentName, training }: KeptRecord,
): Promise<'created' | 'exists'> {
  const key = recordKey(training.runId);
  if ((await store.head(key)) !== undefined) return 'exists';
  const stored = await toStored(experimentName, training, (bytes) => keepBlob(store, bytes));
  return store.putIfAbsent(key, new TextEncoder().encode(`${JSON.stringify(stored, undefined, 2)}\n`));
}

/** The keys of all records, in no order that means anything. */
export async function recordKeys(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(RUNS)) if (key.endsWith('.json')) keys.push(key);
  return keys;
}

/**
 * Reads a record back, its blobs checked against their hashes.
 *
 * @throws LakeletError `MLFLOW_RECORD_CORRUPT`; what the store throws
 */
export async function readRecord(store: ObjectStore, key: string): Promise<KeptRecord> {
  const stored = await readStored(store, key);
  const training = await fromStored(stored, (hash) => readBlob(store, key, hash));
  return { experimentName: stored.experimentName, training };
}

/**
 * The bytes of a record's model, without its held-out rows.
 *
 * @throws LakeletError as {@link readRecord}
 */
export async function readModel(store: ObjectStore, key: string): Promise<Uint8Array> {
  return readBlob(store, key, (await readStored(store, key)).training.model.onnx);
}

/** When the record's training started, milliseconds since 1970; without reading its blobs. */
export async function recordStart(store: ObjectStore, key: string): Promise<number> {
  return (await readStored(store, key)).training.startedAt;
}

/** The key of a run id's record: it is readable, and no id can lead out of the folder or name two files. */
export function recordKey(runId: string): string {
  return `${RUNS}${keyPart(runId)}.json`;
}

/** Any text as one part of a key. */
export function keyPart(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,99}$/.test(text)) return text;
  // Case, length and characters that some file system folds or refuses are told apart by the hash.
  const readable = text.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 60);
  return `${readable}~${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

/** Writes bytes under their hash. */
async function keepBlob(store: ObjectStore, bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  await store.putIfAbsent(`blobs/${hash}`, bytes);
  return hash;
}

/** Bytes by their hash; `owner` is the key of what names them, for the message. */
async function readBlob(store: ObjectStore, owner: string, hash: string): Promise<Uint8Array> {
  const bytes = await store.get(`blobs/${hash}`);
  if (createHash('sha256').update(bytes).digest('hex') === hash) return bytes;
  throw corrupt(store, owner, `blobs/${hash} holds other bytes than it should`);
}

async function readStored(store: ObjectStore, key: string): Promise<StoredRecord> {
  return parseStored(store, key, await store.get(key), STORED);
}

/** JSON of the store, checked. Throws `MLFLOW_RECORD_CORRUPT`. */
export function parseStored<T>(store: ObjectStore, key: string, bytes: Uint8Array, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw corrupt(store, key, 'it is no JSON', cause);
  }
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw corrupt(store, key, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, checked.error);
}

function corrupt(store: ObjectStore, key: string, why: string, cause?: unknown): LakeletError {
  return new LakeletError(
    'MLFLOW_RECORD_CORRUPT',
    `The record ${printable(key, 200)} in ${printable(store.uri, 200)} can't be read (${printable(why, 200)}): remove it, or bring it back from a copy.`,
    { cause },
  );
}
