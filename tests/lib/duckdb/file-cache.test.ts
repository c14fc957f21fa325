import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCache, type RemoteFile } from '../../../lib/duckdb/file-cache.ts';
import { LakeletError } from '../../../lib/errors.ts';
import { SlowStore, shutGate } from './slow-store.ts';

const MIB = 1024 ** 2;

let parent: string;
let store: SlowStore;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
  store = new SlowStore();
});
afterEach(() => rmSync(parent, { recursive: true }));

async function remote(key: string, bytes: Uint8Array = randomBytes(100)): Promise<RemoteFile> {
  await store.put(key, bytes);
  return { key, size: bytes.length, modificationTime: 1 };
}

/** The names of all files in the cache's folder. */
function filesThere(): string[] {
  return readdirSync(parent).flatMap((folder) => readdirSync(join(parent, folder)));
}

async function fetched(cache: FileCache, file: RemoteFile): Promise<boolean> {
  const before = store.reads;
  (await cache.hold(store, [file])).release();
  return store.reads > before;
}

describe('copies of remote files', () => {
  it('have the bytes of the files, in the order asked for, also where they are fetched in parts', async () => {
    const contents = [randomBytes(20 * MIB + 7), randomBytes(3), randomBytes(16 * MIB), new Uint8Array()];
    const files = await Promise.all(contents.map((bytes, at) => remote(`f${at}`, bytes)));
    const { paths } = await new FileCache(parent).hold(store, files);
    expect(paths.map((path, at) => readFileSync(path).equals(contents[at] ?? new Uint8Array()))).toEqual(
      Array(4).fill(true),
    );
  });

  it('never take more memory on the way than the budget, however great the files are', async () => {
    const big = await remote('big', new Uint8Array(100 * MIB));
    (await new FileCache(parent).hold(store, [big])).release();
    expect(store.mostBytes).toBeLessThanOrEqual(65 * MIB);
  });

  it('are fetched once by all that want them at once, and not again afterwards', async () => {
    const cache = new FileCache(parent);
    const file = await remote('f');
    const holds = await Promise.all([cache.hold(store, [file]), cache.hold(store, [file, file])]);
    expect(store.reads).toBe(1);
    for (const { release } of holds) release();
    expect(await fetched(cache, file)).toBe(false);
  });

  it('of files that differ in size or age are not taken for each other', async () => {
    const cache = new FileCache(parent);
    const file = await remote('f');
    await cache.hold(store, [file]);
    expect(await fetched(cache, { ...file, modificationTime: 2 })).toBe(true);
  });

  it('make room for others, the one that was used least recently first', async () => {
    const cache = new FileCache(parent, 250);
    const [a, b, c] = [await remote('a'), await remote('b'), await remote('c')];
    for (const file of [a, b, a, c]) (await cache.hold(store, [file])).release();
    expect(filesThere()).toHaveLength(2);
    expect(await fetched(cache, a)).toBe(false);
    expect(await fetched(cache, b)).toBe(true);
  });

  it('stay while they are read, also over the limit, and go when they are released', async () => {
    const cache = new FileCache(parent, 150);
    const files = [await remote('a'), await remote('b'), await remote('c')];
    const held = await cache.hold(store, files);
    expect(held.paths.map((path) => readFileSync(path).length)).toEqual([100, 100, 100]);
    (await cache.hold(store, [await remote('d')])).release();
    expect(held.paths.map((path) => readFileSync(path).length)).toEqual([100, 100, 100]);
    held.release();
    held.release();
    expect(filesThere()).toHaveLength(1);
  });

  it.each([
    ['shorter', 99],
    ['longer', 101],
  ])('are refused where the file is %s than the log tells, and leave nothing behind', async (_, length) => {
    const cache = new FileCache(parent);
    const file = await remote('f');
    await store.put('f', randomBytes(length));
    await expect(cache.hold(store, [file])).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    expect(filesThere()).toEqual([]);
    await store.put('f', randomBytes(100));
    expect(await fetched(cache, file)).toBe(true);
  });

  it('are fetched again where someone has cleaned them up', async () => {
    const cache = new FileCache(parent);
    const [a, b] = [await remote('a'), await remote('b')];
    const held = await cache.hold(store, [a, b]);
    held.release();
    rmSync(held.paths[0] ?? '');
    expect([await fetched(cache, a), await fetched(cache, b)]).toEqual([true, false]);
    for (const folder of readdirSync(parent)) rmSync(join(parent, folder), { recursive: true });
    expect([await fetched(cache, a), await fetched(cache, b)]).toEqual([true, true]);
  });

  // Only Linux tells a process which files it has open.
  if (process.platform === 'linux') {
    it('of thousands of files are not all open at once', async () => {
      const files = await Promise.all(Array.from({ length: 3000 }, (_, at) => remote(`f${at}`)));
      const { gate, open } = shutGate();
      store.gate = gate;
      const hold = new FileCache(parent).hold(store, files);
      const before = readdirSync('/proc/self/fd').length;
      while (store.reads < 32) await new Promise((resolve) => setImmediate(resolve));
      expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(64);
      open();
      const { paths, release } = await hold;
      expect(new Set(paths).size).toBe(3000);
      release();
    });
  }

  it('say which file is gone', async () => {
    const gone = { key: 'gone.parquet', size: 5, modificationTime: 1 };
    await expect(new FileCache(parent).hold(store, [gone])).rejects.toMatchObject({
      code: 'FILE_MISSING',
      message: expect.stringContaining('gone.parquet'),
    });
  });

  it('tell a folder that cannot be written', async () => {
    const file = await remote('f');
    const cache = new FileCache(join(parent, 'not', 'there'));
    await expect(cache.hold(store, [file])).rejects.toMatchObject({
      code: 'SCRATCH_FAILED',
      message: expect.stringContaining('TMPDIR'),
    });
  });

  it('are not made of what a store failed to give, and are tried again', async () => {
    const cache = new FileCache(parent);
    const file = await remote('f');
    store.gate = Promise.reject(new LakeletError('STORE_FAILED', 'planned'));
    await expect(cache.hold(store, [file])).rejects.toMatchObject({ code: 'STORE_FAILED' });
    store.gate = Promise.resolve();
    expect(await fetched(cache, file)).toBe(true);
  });

  it('still come to one who waits when another gives up', async () => {
    const cache = new FileCache(parent);
    const file = await remote('f');
    const { gate, open } = shutGate();
    store.gate = gate;
    const impatient = new AbortController();
    const left = cache.hold(store, [file], impatient.signal);
    const stays = cache.hold(store, [file]);
    impatient.abort();
    await expect(left).rejects.toBe(impatient.signal.reason);
    open();
    expect((await stays).paths.map((path) => readFileSync(path).length)).toEqual([100]);
    expect(store.reads).toBe(1);
  });

  it('are no longer fetched when all that wanted them have given up', async () => {
    const cache = new FileCache(parent);
    const big = await remote('big', new Uint8Array(100 * MIB));
    const { gate, open } = shutGate();
    store.gate = gate;
    const controller = new AbortController();
    const hold = cache.hold(store, [big], controller.signal);
    controller.abort();
    await expect(hold).rejects.toBe(controller.signal.reason);
    const begun = store.reads;
    open();
    const small = await remote('small');
    await cache.hold(store, [small]);
    expect(store.reads).toBe(begun + 1);
  });
});
