import type { ObjectStore } from '../../../lib/storage/index.ts';
import { type FaultPlan, FaultyStore } from '../../fault/faulty-store.ts';

/**
 * A store whose Nth write fails. A read that fails leaves what the write before it left, so the writes alone lead to every
 * state in which a step can be cut off.
 */
export function faultyWrites(inner: ObjectStore, plan: FaultPlan): ObjectStore {
  const faulty = new FaultyStore(inner, plan);
  return {
    uri: inner.uri,
    get: (key, range) => inner.get(key, range),
    head: (key) => inner.head(key),
    list: (prefix, options) => inner.list(prefix, options),
    localPath: (key) => inner.localPath(key),
    put: (key, body) => faulty.put(key, body),
    putIfAbsent: (key, body) => faulty.putIfAbsent(key, body),
    putFile: (key, path) => faulty.putFile(key, path),
    delete: (key) => faulty.delete(key),
    at: (prefix) => faultyWrites(inner.at(prefix), plan),
  };
}

/** A store in which no write below `prefix` succeeds. */
export function blocked(inner: ObjectStore, prefix: string, at = ''): ObjectStore {
  const plan: FaultPlan = { failAt: 1, fault: 'before', calls: 0, struck: false };
  const below = `${at}/`.slice(at === '' ? 1 : 0);
  const faulty = faultyWrites(inner, plan);
  const store = below.startsWith(prefix) ? faulty : inner;
  return {
    uri: inner.uri,
    get: (key, range) => inner.get(key, range),
    head: (key) => inner.head(key),
    list: (listed, options) => inner.list(listed, options),
    localPath: (key) => inner.localPath(key),
    put: (key, body) => store.put(key, body),
    putIfAbsent: (key, body) => store.putIfAbsent(key, body),
    putFile: (key, path) => store.putFile(key, path),
    delete: (key) => store.delete(key),
    at: (deeper) => blocked(inner.at(deeper), prefix, `${below}${deeper}`),
  };
}

/** A store that, before the first read below `prefix`, waits for something else to be done to the lake. */
export function meanwhile(
  inner: ObjectStore,
  prefix: string,
  once: { done?: Promise<void>; act: () => Promise<void> },
  at = '',
): ObjectStore {
  const first = async (): Promise<void> => {
    if (!`${at}/`.startsWith(`${prefix}/`)) return;
    once.done ??= once.act();
    await once.done;
  };
  return {
    uri: inner.uri,
    get: async (key, range) => first().then(() => inner.get(key, range)),
    head: async (key) => first().then(() => inner.head(key)),
    async *list(listed, options) {
      await first();
      yield* inner.list(listed, options);
    },
    localPath: (key) => inner.localPath(key),
    put: (key, body) => inner.put(key, body),
    putIfAbsent: (key, body) => inner.putIfAbsent(key, body),
    putFile: (key, path) => inner.putFile(key, path),
    delete: (key) => inner.delete(key),
    at: (deeper) => meanwhile(inner.at(deeper), prefix, once, at === '' ? deeper : `${at}/${deeper}`),
  };
}

/** A store that, before the first write whose key ends so, waits for something else to be done to the lake. */
export function beforeWrite(
  inner: ObjectStore,
  ending: string,
  once: { done?: Promise<void>; act: () => Promise<void> },
  at = '',
): ObjectStore {
  const first = async (key: string): Promise<void> => {
    if (!`${at}/${key}`.endsWith(ending)) return;
    once.done ??= once.act();
    await once.done;
  };
  return {
    uri: inner.uri,
    get: (key, range) => inner.get(key, range),
    head: (key) => inner.head(key),
    list: (listed, options) => inner.list(listed, options),
    localPath: (key) => inner.localPath(key),
    put: (key, body) => first(key).then(() => inner.put(key, body)),
    putIfAbsent: (key, body) => first(key).then(() => inner.putIfAbsent(key, body)),
    putFile: (key, path) => inner.putFile(key, path),
    delete: (key) => inner.delete(key),
    at: (deeper) => beforeWrite(inner.at(deeper), ending, once, at === '' ? deeper : `${at}/${deeper}`),
  };
}
