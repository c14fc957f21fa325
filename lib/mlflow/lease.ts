import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { LakeletError, printable, systemCode } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { keyPart, parseStored } from './record-store.ts';

const LEASE = z.object({ token: z.string(), host: z.string(), pid: z.number().int().positive(), expires: z.number() });
type Lease = z.output<typeof LEASE>;

/** A lease under its number; the greatest number is the one that counts. */
interface NumberedLease {
  readonly number: number;
  readonly lease: Lease;
}

/** What is worked on by one process at a time. */
interface LeaseOf {
  /** Where its leases are, with a `/` at its end. */
  readonly folder: string;
  /** How long a lease lasts that is not renewed, in milliseconds. */
  readonly term: number;
  /** What the holder does, for messages: `is pushing the records`. */
  readonly doing: string;
  readonly code: string;
}

const PUSH: LeaseOf = {
  folder: 'push-leases/',
  term: 10 * 60_000,
  doing: 'is pushing the records',
  code: 'MLFLOW_PUSH_BUSY',
};

/** Renewed by a timer, so that a short term says soon that a process elsewhere is gone. */
const TRAINING_TERM = 60_000;

/** For how long, in milliseconds, another process that logs the same training is waited for. */
const TRAINING_PATIENCE = 3 * TRAINING_TERM;

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
  return whileHeld(store, PUSH, await take(store, PUSH), work);
}

/**
 * Does the work while no other process logs the training of the same run id, and waits for one that does: for its end,
 * or, where it was killed, for the end of its lease, a minute at most after its last sign of life.
 *
 * @throws LakeletError `MLFLOW_TRAINING_BUSY`, retryable, where the other one takes longer than three minutes; what the
 *   work throws
 */
export async function withTrainingLease<T>(store: ObjectStore, runId: string, work: () => Promise<T>): Promise<T> {
  const training: LeaseOf = {
    folder: `training-leases/${keyPart(runId)}/`,
    term: TRAINING_TERM,
    doing: `logs the training of ${printable(runId, 100)} by the records`,
    code: 'MLFLOW_TRAINING_BUSY',
  };
  const held = await takeInTurn(store, training);
  return whileHeld(store, training, held, async (renew) => {
    // A renewal that fails is made up for by the next one, which comes before the lease is over.
    let renewed: Promise<void> = Promise.resolve();
    const timer = setInterval(() => {
      renewed = renewed.then(renew).catch(() => undefined);
    }, TRAINING_TERM / 4).unref();
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await renewed;
    }
  });
}

async function takeInTurn(store: ObjectStore, what: LeaseOf): Promise<Held> {
  const until = Date.now() + TRAINING_PATIENCE;
  for (;;) {
    try {
      return await take(store, what);
    } catch (error) {
      const isBusy = error instanceof LakeletError && error.code === what.code;
      if (!isBusy || Date.now() > until) throw error;
      await wait(200 + Math.random() * 300);
    }
  }
}

/** A lease that this process has. */
interface Held {
  readonly number: number;
  readonly token: string;
}

async function whileHeld<T>(
  store: ObjectStore,
  what: LeaseOf,
  held: Held,
  work: (renew: () => Promise<void>) => Promise<T>,
): Promise<T> {
  try {
    return await work(() => renew(store, what, held));
  } finally {
    // It stays, so that the numbers go on.
    if (await isOurs(store, what, held.token)) await store.put(keyOf(what, held.number), encode(held.token, 0));
  }
}

/** Takes the next lease. */
async function take(store: ObjectStore, what: LeaseOf): Promise<Held> {
  const token = randomUUID();
  const leases = await readLeases(store, what);
  const last = leases.at(-1);
  if (last !== undefined && isAlive(last.lease)) throw busy(store, what, last);
  const number = (last?.number ?? 0) + 1;
  if ((await store.putIfAbsent(keyOf(what, number), encode(token, Date.now() + what.term))) === 'exists') {
    throw new LakeletError(
      what.code,
      `Another process has just begun what this one is about to do in ${printable(store.uri, 200)}: wait until it is done.`,
      { retryable: true },
    );
  }
  await Promise.all(leases.map((old) => store.delete(keyOf(what, old.number))));
  return { number, token };
}

async function renew(store: ObjectStore, what: LeaseOf, { number, token }: Held): Promise<void> {
  const last = (await readLeases(store, what)).at(-1);
  if (last !== undefined && last.lease.token !== token) throw busy(store, what, last);
  await store.put(keyOf(what, number), encode(token, Date.now() + what.term));
}

async function isOurs(store: ObjectStore, what: LeaseOf, token: string): Promise<boolean> {
  return (await readLeases(store, what)).at(-1)?.lease.token === token;
}

/** All leases that are there, ascending. */
async function readLeases(store: ObjectStore, { folder }: LeaseOf): Promise<NumberedLease[]> {
  const keys = (await Array.fromAsync(store.list(folder))).map(({ key }) => key);
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

function keyOf({ folder }: LeaseOf, number: number): string {
  return `${folder}${String(number).padStart(10, '0')}.json`;
}

function busy(store: ObjectStore, what: LeaseOf, { number, lease }: NumberedLease): LakeletError {
  return new LakeletError(
    what.code,
    `Process ${lease.pid} on ${printable(lease.host, 100)} ${what.doing} of ${printable(store.uri, 200)}: wait until it is done, or remove ${keyOf(what, number)} there.`,
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

function encode(token: string, expires: number): Uint8Array {
  const lease: Lease = { token, host: hostname(), pid: process.pid, expires };
  return new TextEncoder().encode(JSON.stringify(lease));
}
