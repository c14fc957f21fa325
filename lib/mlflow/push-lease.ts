import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { LakeletError, printable, systemCode } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { parseStored } from './record-store.ts';

const KEY = 'push.lease';
const TERM_MS = 10 * 60_000;

const LEASE = z.object({ token: z.string(), host: z.string(), pid: z.number().int().positive(), expires: z.number() });
type Lease = z.output<typeof LEASE>;

/**
 * Does the work while no other push of the same records is at work: MLflow can't refuse a second run with the same tag,
 * so two pushes at once would send a record twice. A lease whose process is gone, or that ran out, is taken over.
 *
 * @param work gets a function that makes the lease last longer; to be called before each record
 * @throws LakeletError `MLFLOW_PUSH_BUSY`, retryable; what the work throws
 */
export async function withPushLease<T>(
  store: ObjectStore,
  work: (renew: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  await take(store, token);
  try {
    return await work(() => store.put(KEY, encode(token)));
  } finally {
    if ((await present(store))?.token === token) await store.delete(KEY);
  }
}

async function take(store: ObjectStore, token: string): Promise<void> {
  if ((await store.putIfAbsent(KEY, encode(token))) === 'created') return;
  const held = await present(store);
  if (held !== undefined && isAlive(held)) {
    throw new LakeletError(
      'MLFLOW_PUSH_BUSY',
      `Process ${held.pid} on ${printable(held.host, 100)} is pushing the records of ${printable(store.uri, 200)}: wait until it is done, or remove ${KEY} there.`,
      { retryable: true },
    );
  }
  if (held !== undefined) await store.delete(KEY);
  if ((await store.putIfAbsent(KEY, encode(token))) === 'created') return;
  throw new LakeletError(
    'MLFLOW_PUSH_BUSY',
    `Another push of ${printable(store.uri, 200)} has just begun: wait until it is done.`,
    { retryable: true },
  );
}

async function present(store: ObjectStore): Promise<Lease | undefined> {
  if ((await store.head(KEY)) === undefined) return undefined;
  return parseStored(store, KEY, await store.get(KEY), LEASE);
}

function isAlive({ host, pid, expires }: Lease): boolean {
  if (expires < Date.now()) return false;
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but another user's.
    return systemCode(error) === 'EPERM';
  }
}

function encode(token: string): Uint8Array {
  const lease: Lease = { token, host: hostname(), pid: process.pid, expires: Date.now() + TERM_MS };
  return new TextEncoder().encode(JSON.stringify(lease));
}
