import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStore } from '../../../lib/storage/index.ts';
import type { ObjectInfo, ObjectStore } from '../../../lib/storage/object-store.ts';
import { objectStoreContract } from '../../contract/object-store.ts';
import { race } from '../../contract/race.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-file-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function collect(objects: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const object of objects) found.push(object);
  return found;
}

describe.each([
  ['with hard links', true],
  ['on a file system without hard links', false],
])('a folder store %s', (_, hardLinks) => {
  objectStoreContract(async () => new FileStore(join(folder, 'the lake'), { hardLinks }));

  it('has one winner a key when eight processes write at once', async () => {
    const won = await race(join(folder, 'race'), 40, { hardLinks });
    expect(won.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_unused, i) => i));
  }, 30_000);
});

describe('a folder store without hard links', () => {
  it('finishes what a writer began that died once it had the claim', async () => {
    const store = new FileStore(folder, { hardLinks: false });
    await store.putIfAbsent('k', Uint8Array.of(1));
    // What is left when the winner dies after its claim and before the object has its name.
    await rm(join(folder, 'k'));
    expect(await store.putIfAbsent('k', Uint8Array.of(2))).toBe('exists');
    expect(await store.get('k')).toEqual(Uint8Array.of(1));
  });
});

describe('a folder store', () => {
  it('leaves no file but the object behind', async () => {
    const store = new FileStore(folder);
    await store.put('a', Uint8Array.of(1));
    await store.putIfAbsent('b', Uint8Array.of(1));
    await store.putIfAbsent('b', Uint8Array.of(1));
    await store.putFile('c', join(folder, 'a'));
    expect((await readdir(folder)).sort()).toEqual(['a', 'b', 'c']);
  });

  it('does not list what a crashed writer left', async () => {
    const store = new FileStore(folder);
    await writeFile(join(folder, '.lakelet-tmp-1'), 'half');
    expect(await collect(store.list(''))).toEqual([]);
  });

  it('makes a file that is in its place already durable without copying it', async () => {
    const store = new FileStore(folder);
    await writeFile(join(folder, 'staged'), 'content');
    await store.putFile('staged', store.localPath('staged'));
    expect(new TextDecoder().decode(await store.get('staged'))).toBe('content');
  });

  it('may itself be reached through a symbolic link, but follows none below it', async () => {
    const outside = join(folder, 'outside');
    const lake = join(folder, 'lake');
    await mkdir(outside);
    await mkdir(lake);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(lake, 'folder-link'));
    await symlink(join(outside, 'secret'), join(lake, 'file-link'));
    await symlink(lake, join(folder, 'lake-link'));
    const store = new FileStore(join(folder, 'lake-link'));
    const refused = { name: 'LakeletError', code: 'INVALID_KEY' };
    for (const key of ['folder-link/secret', 'file-link']) {
      await expect(store.get(key)).rejects.toMatchObject(refused);
      expect(() => store.localPath(key)).toThrow(expect.objectContaining(refused));
    }
    await expect(store.put('folder-link/new', Uint8Array.of(1))).rejects.toMatchObject(refused);
    await expect(store.putIfAbsent('folder-link/new', Uint8Array.of(1))).rejects.toMatchObject(refused);
    await expect(store.delete('folder-link/secret')).rejects.toMatchObject(refused);
    expect(() => store.at('folder-link')).toThrow(expect.objectContaining(refused));
    await expect(collect(store.list('folder-link/'))).rejects.toMatchObject(refused);
    await store.put('real', Uint8Array.of(1));
    expect((await collect(store.list(''))).map((object) => object.key)).toEqual(['real']);
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it.each([
    ['is a file', 'file'],
    ['lies below a file', 'file/lake'],
  ])('says so in every call when its folder %s', async (_, path) => {
    await writeFile(join(folder, 'file'), 'x');
    const store: ObjectStore = new FileStore(join(folder, path));
    const refused = { name: 'LakeletError', code: 'NOT_A_FOLDER', message: expect.stringContaining(path) };
    await expect(store.get('k')).rejects.toMatchObject(refused);
    await expect(store.head('k')).rejects.toMatchObject(refused);
    await expect(store.put('k', Uint8Array.of(1))).rejects.toMatchObject(refused);
    await expect(store.putIfAbsent('k', Uint8Array.of(1))).rejects.toMatchObject(refused);
    await expect(collect(store.list(''))).rejects.toMatchObject(refused);
  });

  it("names a folder that stands in an object's place", async () => {
    await mkdir(join(folder, 'k', 'below'), { recursive: true });
    const store = new FileStore(folder);
    await expect(store.put('k', Uint8Array.of(1))).rejects.toMatchObject({
      name: 'LakeletError',
      code: 'STORE_FAILED',
    });
    expect(await readdir(folder)).toEqual(['k']);
  });

  it('says so where a folder cannot be made, instead of trying forever', async () => {
    // No folder can be made in this one, though it is there; on Linux alone.
    const store = new FileStore(process.platform === 'linux' ? '/proc/lakelet/lake' : join(folder, 'nul\0'));
    await expect(store.put('a/k', Uint8Array.of(1))).rejects.toMatchObject({ name: 'LakeletError' });
  });

  it('is empty, and makes nothing, before the first write', async () => {
    const store = new FileStore(join(folder, 'not', 'yet'));
    expect(await collect(store.list('any/'))).toEqual([]);
    expect(await store.head('k')).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });
});
