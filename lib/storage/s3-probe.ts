import { randomUUID } from 'node:crypto';
import { LakeletError } from '../errors.ts';
import { RESERVED_NAME } from './key.ts';
import { type S3Connection, sharedS3 } from './s3-client.ts';
import { S3Store } from './s3-store.ts';
import { s3Place } from './s3-uri.ts';

/** How a bucket behaves as a store; what {@link probeBucket} found by trying. */
export interface BucketProbe {
  /** The server that was asked, as {@link S3Connection.server} names it. */
  readonly server: string;
  /** How many of eight writers at once were told that they alone had created one and the same object; 1 is right. */
  readonly winners: number;
  /** That conditional puts are refused or ignored, by the first that was tried; undefined where they are not. */
  readonly conditionFailure: LakeletError | undefined;
  /** Whether the winner's bytes are the ones that are read, also after another writer was refused. */
  readonly intact: boolean;
  /** Whether a listing shows what was written, at once and in order, and begins where it is told to. */
  readonly listed: boolean;
  /** Why objects cannot be deleted; undefined where they can. What could not be deleted is left behind. */
  readonly deleteFailure: LakeletError | undefined;
  /** Milliseconds to write and to read 4 KiB. */
  readonly writeMilliseconds: number;
  readonly readMilliseconds: number;
}

const RACERS = 8;
const LISTED = ['list/1', 'list/2', 'list/3'];

/**
 * Tries a store out in the very place of the very bucket that is to be used, with objects under a reserved name that it
 * removes again. Throws what {@link S3Store} throws where the bucket cannot be read, written or listed at all.
 */
export async function probeBucket(uri: string, connect: () => Promise<S3Connection> = sharedS3): Promise<BucketProbe> {
  const { bucket, prefix } = s3Place(uri);
  const store = new S3Store({ bucket, prefix: `${prefix}${RESERVED_NAME}probe-${randomUUID()}/` }, connect);
  const written = [...LISTED, 'race'];
  await store.put('list/1', new Uint8Array(4096));
  let failed = true;
  try {
    for (const key of LISTED) await store.put(key, new Uint8Array(4096));
    const race = await tryRace(store);
    const listed = await tryList(store);
    const writeMilliseconds = await time(() => store.put('list/1', new Uint8Array(4096)));
    const readMilliseconds = await time(() => store.get('list/1'));
    failed = false;
    const deleteFailure = await remove(store, written);
    const { server } = await connect();
    return { server, ...race, listed, deleteFailure, writeMilliseconds, readMilliseconds };
  } finally {
    // The failure that is on its way out says more than one of tidying up after it would.
    if (failed) await remove(store, written);
  }
}

async function tryRace(store: S3Store): Promise<Pick<BucketProbe, 'winners' | 'intact' | 'conditionFailure'>> {
  const bodies = Array.from({ length: RACERS }, (_, racer) => new Uint8Array(1000).fill(racer));
  const outcomes = await Promise.allSettled(bodies.map((body) => store.putIfAbsent('race', body)));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const other = failures.find((failure) => !isUnsupported(failure));
  if (other !== undefined) throw other;
  const [conditionFailure] = failures.filter(isUnsupported);
  if (conditionFailure !== undefined) return { winners: 0, intact: true, conditionFailure };

  const results = outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value === 'created');
  const late = await store.putIfAbsent('race', new Uint8Array(1000).fill(RACERS));
  const [read] = await store.get('race');
  return {
    winners: results.filter(Boolean).length,
    intact: results.indexOf(true) === read && late === 'exists',
    conditionFailure: undefined,
  };
}

function isUnsupported(failure: unknown): failure is LakeletError {
  return failure instanceof LakeletError && failure.code === 'NOT_SUPPORTED';
}

async function tryList(store: S3Store): Promise<boolean> {
  const keys = async (startAfter: string): Promise<string> => {
    const found = await Array.fromAsync(store.list('list/', { startAfter }));
    return found.map((object) => object.key).join();
  };
  return (await keys('')) === LISTED.join() && (await keys('list/2')) === 'list/3';
}

async function remove(store: S3Store, keys: readonly string[]): Promise<LakeletError | undefined> {
  try {
    await Promise.all(keys.map((key) => store.delete(key)));
    return undefined;
  } catch (error) {
    if (error instanceof LakeletError) return error;
    throw error;
  }
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}
