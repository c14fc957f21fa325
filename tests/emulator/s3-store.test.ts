import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { objectStoreContract } from '../contract/object-store.ts';
import { race } from '../contract/race.ts';
import { BUCKET, environment, type S3Server, START_TIMEOUT, startS3 } from './s3-servers.ts';

const TIMEOUT = 60_000;

describe.each(['MinIO', 'LocalStack'] as const)('a store in S3 (%s)', (kind) => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3(kind);
  }, START_TIMEOUT);
  afterAll(() => server?.stop());

  objectStoreContract(async () => server.store());

  it(
    'has one winner a key when eight processes write at once',
    async () => {
      const won = await race(server.store().uri, 40, { env: environment(server.settings) });
      expect(won.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    },
    TIMEOUT,
  );

  it(
    'lists more than a page, from any key on',
    async () => {
      const store = server.store();
      const names = Array.from({ length: 1_203 }, (_, i) => `log/${String(i).padStart(20, '0')}.json`);
      for (let i = 0; i < names.length; i += 50) {
        await Promise.all(names.slice(i, i + 50).map((key) => store.put(key, new Uint8Array(1))));
      }
      const keysAfter = async (startAfter: string): Promise<string[]> =>
        (await Array.fromAsync(store.list('log/', { startAfter }))).map(({ key }) => key);
      expect(await keysAfter('')).toEqual(names);
      expect(await keysAfter(names[100] ?? '')).toEqual(names.slice(101));
      expect(await keysAfter('log/00000000000000000005.jsox')).toEqual(names.slice(6));
      // Whoever stops in the middle of a listing leaves nothing running.
      for await (const { key } of store.list('log/')) {
        expect(key).toBe(names[0]);
        break;
      }
    },
    TIMEOUT,
  );

  it('takes keys of control characters, line breaks and encoded text as they are', async () => {
    const store = server.store();
    const keys = ['a\nb', 'tab\there', '%2e%2e/x', 'a+b c', '&amp;<x>', 'é/e\u0301', 'q?versionId=1#f', 'back\\slash'];
    for (const key of keys) await store.put(key, new TextEncoder().encode(key));
    for (const key of keys) expect(new TextDecoder().decode(await store.get(key))).toBe(key);
    const listed = (await Array.fromAsync(store.list(''))).map(({ key }) => key);
    expect(listed).toEqual([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const key of keys) await store.delete(key);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  it('lies at any prefix, and sees nothing beside it', async () => {
    const root = server.store();
    const hostile = ['a b', 'a b+', '100%', 'é?x=1&y#z', "it's", 'x=1/year=2024'];
    for (const prefix of hostile) await root.at(prefix).put('table/k', new TextEncoder().encode(prefix));
    await root.put('a bc/table/k', new Uint8Array(1));
    for (const prefix of hostile) {
      const store = new S3Store(`${root.uri}/${prefix}/`, async () => server.connection);
      expect((await Array.fromAsync(store.list(''))).map(({ key }) => key)).toEqual(['table/k']);
      expect(new TextDecoder().decode(await store.get('table/k'))).toBe(prefix);
      expect(await store.at('table').putIfAbsent('k', new Uint8Array(1))).toBe('exists');
    }
  });

  it('leaves out what other tools put there that is no object to a store', async () => {
    const store = server.store();
    const { client, sdk } = server.connection;
    const root = store.uri.slice(`s3://${BUCKET}/`.length);
    for (const name of ['', 'folder/', '.lakelet-probe-1/x']) {
      await client.send(new sdk.PutObjectCommand({ Bucket: BUCKET, Key: `${root}/${name}`, Body: new Uint8Array() }));
    }
    await store.put('folder/file', new Uint8Array(1));
    expect((await Array.fromAsync(store.list(''))).map(({ key }) => key)).toEqual(['folder/file']);
  });

  it(
    'sends a large file in parts, whole and right, and leaves no upload behind',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lakelet-parts-'));
      try {
        const path = join(folder, 'large');
        const file = await open(path, 'w');
        const digest = createHash('sha256');
        for (let i = 0; i < 40; i++) {
          const block = randomBytes(1024 ** 2);
          digest.update(block);
          await file.write(block);
        }
        await file.write('the end');
        await file.close();
        digest.update('the end');
        const store = server.store();
        await store.putFile('large', path);
        const body = await store.get('large');
        expect(createHash('sha256').update(body).digest('hex')).toBe(digest.digest('hex'));
        expect(new TextDecoder().decode(await store.get('large', { start: -7 }))).toBe('the end');
        const { client, sdk } = server.connection;
        const { ETag } = await client.send(
          new sdk.HeadObjectCommand({ Bucket: BUCKET, Key: `${store.uri.slice(`s3://${BUCKET}/`.length)}/large` }),
        );
        // The tag of an object in n parts ends in -n.
        expect(ETag).toMatch(/-3"$/);
        expect((await client.send(new sdk.ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? []).toEqual([]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    TIMEOUT,
  );
});
