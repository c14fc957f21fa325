import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from '../../lib/storage/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);

async function keys(store: ObjectStore, prefix = '', startAfter?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const object of store.list(prefix, startAfter === undefined ? {} : { startAfter })) found.push(object.key);
  return found;
}

const AWKWARD_KEYS = [
  'a b/c d',
  'per%20cent/100%',
  'purchase_date=2024-01-01/part-0 .parquet',
  'Zürich/ñandú/日本語/🦆',
  'hash#tag?query=1&x=y',
  '.hidden/.file',
  'quote\'"quote',
  '_delta_log/00000000000000000000.json',
  'semi;colon,comma+plus=equals~tilde@at!',
  `${'n'.repeat(200)}/${'m'.repeat(200)}`,
];

const BAD_KEYS = [
  '',
  '/absolute',
  '../outside',
  'a/../../outside',
  'a/..',
  './a',
  'a//b',
  'a/',
  'nul\0',
  'lone\ud800',
  '.lakelet-tmp-1',
  'a/.lakelet-claim-1/body',
  'x'.repeat(2000),
];

/** What every {@link ObjectStore} must do. `open` gives an empty store, made anew for each test. */
export function objectStoreContract(open: () => Promise<ObjectStore>): void {
  let store: ObjectStore;
  beforeEach(async () => {
    store = await open();
  });

  it('gives back what was put, also when it is put again', async () => {
    const body = randomBytes(100_000);
    await store.put('a/b.bin', body);
    expect(Buffer.compare(await store.get('a/b.bin'), body)).toBe(0);
    await store.put('a/b.bin', bytes('shorter'));
    expect(text(await store.get('a/b.bin'))).toBe('shorter');
  });

  it('holds an object of no bytes', async () => {
    await store.put('empty', new Uint8Array());
    expect(await store.get('empty')).toHaveLength(0);
    expect((await store.head('empty'))?.size).toBe(0);
  });

  it('keeps its own copy of the bytes', async () => {
    const body = bytes('first');
    await store.put('k', body);
    body.fill(0);
    (await store.get('k')).fill(1);
    expect(text(await store.get('k'))).toBe('first');
  });

  it.each([
    [{ start: 0 }, '0123456789'],
    [{ start: 3, end: 6 }, '345'],
    [{ start: 8, end: 20 }, '89'],
    [{ start: -3 }, '789'],
    [{ start: -30 }, '0123456789'],
    [{ start: 10 }, ''],
    [{ start: 30, end: 40 }, ''],
    [{ start: 4, end: 4 }, ''],
  ])('reads the range %j', async (range, expected) => {
    await store.put('digits', bytes('0123456789'));
    expect(text(await store.get('digits', range))).toBe(expected);
  });

  it.each([{ start: 5, end: 2 }, { start: 0.5 }, { start: Number.NaN }, { start: 0, end: -1 }])(
    'refuses the range %j',
    async (range) => {
      await store.put('digits', bytes('0123456789'));
      await expect(store.get('digits', range)).rejects.toMatchObject({ name: 'LakeletError', code: 'INVALID_RANGE' });
    },
  );

  it('answers NOT_FOUND for what is not there, and undefined to head', async () => {
    await store.put('folder/file', bytes('x'));
    for (const key of ['missing', 'folder', 'folder/file/below', 'no/such/folder']) {
      await expect(store.get(key)).rejects.toMatchObject({ name: 'LakeletError', code: 'NOT_FOUND' });
      expect(await store.head(key)).toBeUndefined();
    }
  });

  it('tells size and time of an object', async () => {
    const before = Date.now();
    await store.put('k', bytes('12345'));
    const head = await store.head('k');
    expect(head).toMatchObject({ key: 'k', size: 5 });
    expect(Math.abs((head?.lastModified ?? 0) - before)).toBeLessThan(60_000);
    expect(Number.isInteger(head?.lastModified)).toBe(true);
  });

  it('removes an object, and what is not there without an error', async () => {
    await store.put('a/k', bytes('x'));
    await store.delete('a/k');
    await store.delete('a/k');
    await store.delete('never/was');
    expect(await store.head('a/k')).toBeUndefined();
    expect(await keys(store)).toEqual([]);
  });

  it('takes keys with spaces, signs, dots and any script, and lists them as they are', async () => {
    for (const key of AWKWARD_KEYS) {
      await store.put(key, bytes(key));
      expect(await store.putIfAbsent(key, bytes('other'))).toBe('exists');
    }
    for (const key of AWKWARD_KEYS) expect(text(await store.get(key))).toBe(key);
    const expected = [...AWKWARD_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await keys(store)).toEqual(expected);
  });

  it.each(BAD_KEYS.map((key) => [key.slice(0, 40), key]))('refuses the key %j in every call', async (_, key) => {
    const refused = { name: 'LakeletError', code: 'INVALID_KEY' };
    await expect(store.get(key)).rejects.toMatchObject(refused);
    await expect(store.head(key)).rejects.toMatchObject(refused);
    await expect(store.put(key, bytes('x'))).rejects.toMatchObject(refused);
    await expect(store.putIfAbsent(key, bytes('x'))).rejects.toMatchObject(refused);
    await expect(store.delete(key)).rejects.toMatchObject(refused);
  });

  it.each(['../', '/etc/', 'a/../../', 'a//'])('refuses to list %j', async (prefix) => {
    await expect(keys(store, prefix)).rejects.toMatchObject({ name: 'LakeletError', code: 'INVALID_KEY' });
  });

  describe('list', () => {
    it('orders by the bytes of UTF-8, folders included', async () => {
      const some = ['a/b', 'a-b', 'a.b', 'a0', 'a', 'ab', 'A', 'b/c/d', 'b/c', 'é', '\uffee', '🦆', 'z'].filter(
        // In a folder a name can't be both a file and a folder.
        (key) => key !== 'a' && key !== 'b/c',
      );
      for (const key of some) await store.put(key, bytes(key));
      expect(await keys(store)).toEqual(some.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    });

    it('finds what begins with the prefix, wherever that ends', async () => {
      for (const key of ['log/001.json', 'log/002.json', 'log/010.json', 'log2/x', 'lo', 'log/sub/001'])
        await store.put(key, bytes(key));
      expect(await keys(store, 'log/00')).toEqual(['log/001.json', 'log/002.json']);
      expect(await keys(store, 'log/')).toEqual(['log/001.json', 'log/002.json', 'log/010.json', 'log/sub/001']);
      expect(await keys(store, 'log')).toEqual([
        'log/001.json',
        'log/002.json',
        'log/010.json',
        'log/sub/001',
        'log2/x',
      ]);
      expect(await keys(store, 'log/001.json')).toEqual(['log/001.json']);
      expect(await keys(store, 'log/001.json/')).toEqual([]);
      expect(await keys(store, 'nothing/here/')).toEqual([]);
    });

    it('begins after startAfter', async () => {
      for (const key of ['a/1', 'a/2', 'b/1', 'b/2', 'c']) await store.put(key, bytes(key));
      expect(await keys(store, '', 'a/2')).toEqual(['b/1', 'b/2', 'c']);
      expect(await keys(store, '', 'b')).toEqual(['b/1', 'b/2', 'c']);
      expect(await keys(store, 'b/', 'b/1')).toEqual(['b/2']);
      expect(await keys(store, 'b/', 'a')).toEqual(['b/1', 'b/2']);
      expect(await keys(store, '', 'b/1zzz')).toEqual(['b/2', 'c']);
      expect(await keys(store, '', 'd')).toEqual([]);
    });

    it('tells sizes, and lists hundreds of objects', async () => {
      const names = Array.from({ length: 200 }, (_, i) => `many/${String(i).padStart(20, '0')}.json`);
      await Promise.all(names.map((key, i) => store.put(key, new Uint8Array(i))));
      const found = [];
      for await (const object of store.list('many/')) found.push([object.key, object.size]);
      expect(found).toEqual(names.map((key, i) => [key, i]));
    });
  });

  describe('putIfAbsent', () => {
    it('writes once and leaves what is there alone', async () => {
      expect(await store.putIfAbsent('log/0', bytes('first'))).toBe('created');
      expect(await store.putIfAbsent('log/0', bytes('second'))).toBe('exists');
      expect(text(await store.get('log/0'))).toBe('first');
      expect(await keys(store)).toEqual(['log/0']);
    });

    it('tells winners apart even when all write the same bytes', async () => {
      const results = await Promise.all(Array.from({ length: 8 }, () => store.putIfAbsent('same', bytes('same'))));
      expect(results.filter((result) => result === 'created')).toHaveLength(1);
    });

    it('has one winner of eight at once, whose bytes are there, in each of 25 rounds', async () => {
      for (let round = 0; round < 25; round++) {
        const key = `race/${round}`;
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, racer) => store.putIfAbsent(key, bytes(`racer ${racer}`))),
        );
        const winners = results.flatMap((result, racer) => (result === 'created' ? [racer] : []));
        expect(winners).toHaveLength(1);
        expect(text(await store.get(key))).toBe(`racer ${winners[0]}`);
      }
    });

    it('can be won again after the object was deleted', async () => {
      await store.putIfAbsent('k', bytes('first'));
      await store.delete('k');
      expect(await store.putIfAbsent('k', bytes('second'))).toBe('created');
      expect(text(await store.get('k'))).toBe('second');
    });
  });

  it('shows a reader the old bytes or the new, never a mixture, while they are replaced', async () => {
    const size = 200_000;
    await store.put('k', new Uint8Array(size).fill(1));
    let writing = true;
    const writer = (async () => {
      for (let round = 2; round < 22; round++) await store.put('k', new Uint8Array(size + round).fill(round));
      writing = false;
    })();
    while (writing) {
      const body = await store.get('k');
      const [first = 0] = body;
      expect(body.length).toBe(first === 1 ? size : size + first);
      expect(body.every((byte) => byte === first)).toBe(true);
    }
    await writer;
  });

  describe('putFile', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lakelet-put-file-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    it('writes from a local file, replaces, and leaves the file', async () => {
      const path = join(folder, 'staged.parquet');
      await writeFile(path, 'content');
      await store.put('data/x', bytes('old and longer'));
      await store.putFile('data/x', path);
      await store.putFile('data/y', path);
      expect(text(await store.get('data/x'))).toBe('content');
      expect(text(await store.get('data/y'))).toBe('content');
    });

    it('answers NOT_FOUND, and writes nothing, where the file is not there', async () => {
      await expect(store.putFile('data/x', join(folder, 'missing'))).rejects.toMatchObject({
        name: 'LakeletError',
        code: 'NOT_FOUND',
      });
      expect(await keys(store)).toEqual([]);
    });
  });

  describe('at', () => {
    it('is a store below this one', async () => {
      const below = store.at('silver').at('purchases/');
      await below.put('_delta_log/0', bytes('x'));
      await store.put('silver/other', bytes('y'));
      expect(await keys(store)).toEqual(['silver/other', 'silver/purchases/_delta_log/0']);
      expect(await keys(below)).toEqual(['_delta_log/0']);
      expect(await keys(below, '', '_delta_log/0')).toEqual([]);
      expect(below.uri).toBe(`${store.uri}/silver/purchases`);
      expect(await below.putIfAbsent('_delta_log/0', bytes('z'))).toBe('exists');
    });

    it('refuses to leave its root', () => {
      for (const prefix of ['..', '../x', '/etc', 'a/../..', 'a//b']) {
        expect(() => store.at(prefix)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
      }
      expect(store.at('').uri).toBe(store.uri);
    });
  });
}
