import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { LakeletError, printable, systemCode } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { parseStored } from './record-store.ts';

const FOLDER = 'push-leases/';
const TERM_MS = 10 * 60_000;

const LEASE = z.object({ token: z.string(), host: z.string(), pid: z.number().int().positive(), expires: z.number() });
type Lease = z.output<typeof LEASE>;

/** A lease under its number; the greatest number is the one that counts. */
interface NumberedLease {
  readonly number: number;
  readonly lease: Lease;
}

/**
 * Does the work while no other push of the same records is at work, on this machine or another: MLflow can't refuse a
 * second run with the same tag, so two pushes at once would send a record twice.
 *
 * Leases are numbered, and a new one is written only where its number is free. So of all that find a lease over (given
 * back, run out, or its process gone) one alone gets the next.
 *
 * @param work gets a function that makes the lease last longer; to be called before each record
 * @throws LakeletError `MLFLOW_PUSH_BUSY`, retryable; what the work throws
 */
export async function withPushLease<T>(
  store: ObjectStore,
  work: (renew: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  const number = await take(store, token);
  try {
    return await work(() => renew(store, number, token));
  } finally {
    // It stays, so that the numbers go on.
    if (await isOurs(store, token)) await store.put(keyOf(number), encode(token, 0));
  }
}

/** Takes the next lease, and tells its number. */
async function take(store: ObjectStore, token: string): Promise<number> {
  const leases = await readLeases(store);
  const last = leases.at(-1);
  if (last !== undefined && isAlive(last.lease)) throw busy(store, last);
  const number = (last?.number ?? 0) + 1;
  if ((await store.putIfAbsent(keyOf(number), encode(token))) === 'exists') {
    throw new LakeletError(
      'MLFLOW_PUSH_BUSY',
      `Another push of ${printable(store.uri, 200)} has just begun: wait until it is done.`,
      { retryable: true },
    );
  }
  await Promise.all(leases.map((old) => store.delete(keyOf(old.number))));
  return number;
}

async function renew(store: ObjectStore, number: number, token: string): Promise<void> {
  const last = (await readLeases(store)).at(-1);
  if (last !== undefined && last.lease.token !== token) throw busy(store, last);
  await store.put(keyOf(number), encode(token));
}

async function isOurs(store: ObjectStore, token: string): Promise<boolean> {
  return (await readLeases(store)).at(-1)?.lease.token === token;
}

/** All leases that are there, ascending. */
async function readLeases(store: ObjectStore): Promise<NumberedLease[]> {
  const keys = (await Array.fromAsync(store.list(FOLDER))).map(({ key }) => key);
  const leases = await Promise.all(
    keys.map(async (key) => {
      const bytes = await bytesOf(store, key);
      const number = Number(/(\d+)\.json$/.exec(key)?.[1]);
      return bytes === undefined ? [] : [{ number, lease: parseStored(store, key, bytes, LEASE) }];
    }),
  );
  return leases.flat().sort((a, b) => a.number - b.number);
}

/** The bytes of a lease; undefined where whoever took the next one has removed it. */
async function bytesOf(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (error instanceof LakeletError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function keyOf(number: number): string {
  return `${FOLDER}${String(number).padStart(10, '0')}.json`;
}

function busy(store: ObjectStore, { number, lease }: NumberedLease): LakeletError {
  return new LakeletError(
    'MLFLOW_PUSH_BUSY',
    `Process ${lease.pid} on ${printable(lease.host, 100)} is pushing the records of ${printable(store.uri, 200)}: wait until it is done, or remove ${keyOf(number)} there.`,
    { retryable: true },
  );
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

function encode(token: string, expires = Date.now() + TERM_MS): Uint8Array {
  const lease: Lease = { token, host: hostname(), pid: process.pid, expires };
  return new TextEncoder().encode(JSON.stringify(lease));
}
