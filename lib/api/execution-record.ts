import { z } from 'zod';
import { LakeletError, printable } from '../errors.ts';
import type { ObjectStore } from '../storage/index.ts';
import { executionAnswer } from './schemas.ts';

/** What the lake keeps of an execution that the API started: one JSON object an attempt. */
export const executionRecord = executionAnswer.extend({
  /** When the process that executes it last said that it is alive; ISO 8601. */
  updatedAt: z.iso.datetime(),
});

/** An {@link executionRecord}. */
export type ExecutionRecord = z.output<typeof executionRecord>;

/** The execution's last attempt; undefined where there was none. */
export async function lastAttempt(lake: ObjectStore, id: string): Promise<ExecutionRecord | undefined> {
  let last: string | undefined;
  for await (const { key } of lake.list(`${folderOf(id)}/`)) last = key;
  return last === undefined ? undefined : readRecord(lake, last);
}

/** One attempt. Throws `NOT_FOUND`. */
export async function readAttempt(lake: ObjectStore, id: string, attempt: number): Promise<ExecutionRecord> {
  return readRecord(lake, keyOf(id, attempt));
}

/** Notes that an attempt begins; false where another process noted the same one first. */
export async function noteBegin(lake: ObjectStore, record: ExecutionRecord): Promise<boolean> {
  return (await lake.putIfAbsent(keyOf(record.id, record.attempt), bytesOf(record))) === 'created';
}

/** Notes how far an attempt has come. */
export function note(lake: ObjectStore, record: ExecutionRecord): Promise<void> {
  return lake.put(keyOf(record.id, record.attempt), bytesOf(record));
}

async function readRecord(lake: ObjectStore, key: string): Promise<ExecutionRecord> {
  const text = new TextDecoder().decode(await lake.get(key));
  const record = executionRecord.safeParse(parsed(text));
  if (record.success) return record.data;
  throw new LakeletError(
    'EXECUTION_RECORD_INVALID',
    `${printable(key, 300)} in the lake ${printable(lake.uri, 200)} is no record of an execution; remove it`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bytesOf(record: ExecutionRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`);
}

function keyOf(id: string, attempt: number): string {
  return `${folderOf(id)}/${String(attempt).padStart(6, '0')}.json`;
}

/** A run's id may have characters that the names of files may not. */
function folderOf(id: string): string {
  return `ops/executions/id=${encodeURIComponent(id)}`;
}
