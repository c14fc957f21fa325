import { LakeletError } from '../../lib/errors.ts';
import type { ByteRange, ObjectInfo, ObjectStore } from '../../lib/storage/object-store.ts';

/** How the call at fault ends: before it did anything, or after it was done, its answer lost. */
export type Fault = 'before' | 'after';

/** Counts the calls of a {@link FaultyStore} and of all stores below it. */
export interface FaultPlan {
  /** The call (1, 2, 3 …) that fails; 0: none. */
  failAt: number;
  readonly fault: Fault;
  calls: number;
  /** Whether the planned fault has happened. */
  struck: boolean;
}

/** A store whose Nth call fails. */
export class FaultyStore implements ObjectStore {
  readonly uri: string;
  private readonly inner: ObjectStore;
  private readonly plan: FaultPlan;

  constructor(inner: ObjectStore, plan: FaultPlan) {
    this.inner = inner;
    this.plan = plan;
    this.uri = inner.uri;
  }

  get(key: string, range?: ByteRange): Promise<Uint8Array> {
    return this.call(`get ${key}`, () => this.inner.get(key, range));
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.call(`head ${key}`, () => this.inner.head(key));
  }

  put(key: string, body: Uint8Array): Promise<void> {
    return this.call(`put ${key}`, () => this.inner.put(key, body));
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    return this.call(`putIfAbsent ${key}`, () => this.inner.putIfAbsent(key, body));
  }

  putFile(key: string, localPath: string): Promise<void> {
    return this.call(`putFile ${key}`, () => this.inner.putFile(key, localPath));
  }

  async *list(prefix: string, options?: { readonly startAfter?: string }): AsyncGenerator<ObjectInfo> {
    await this.call(`list ${prefix}`, async () => undefined);
    yield* this.inner.list(prefix, options);
  }

  delete(key: string): Promise<void> {
    return this.call(`delete ${key}`, () => this.inner.delete(key));
  }

  localPath(key: string): string | undefined {
    return this.inner.localPath(key);
  }

  at(prefix: string): ObjectStore {
    return new FaultyStore(this.inner.at(prefix), this.plan);
  }

  private async call<T>(what: string, call: () => Promise<T>): Promise<T> {
    this.plan.calls++;
    if (this.plan.calls !== this.plan.failAt) return call();
    this.plan.struck = true;
    if (this.plan.fault === 'after') await call();
    throw new LakeletError('STORE_FAILED', `Planned fault ${this.plan.fault} ${what}; this is a test`);
  }
}
