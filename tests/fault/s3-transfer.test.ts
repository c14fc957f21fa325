import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { BUCKET, connectWith, type S3Server, START_TIMEOUT, startS3 } from '../emulator/s3-servers.ts';
import { type Fate, type ProxiedRequest, type S3Proxy, startProxy } from './s3-proxy.ts';

const TIMEOUT = 120_000;
const PART = 16 * 1024 ** 2;
const digest = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

describe('reading and writing over a network that fails', () => {
  let folder: string;
  let server: S3Server;
  let proxy: S3Proxy;
  let store: S3Store;
  let direct: S3Store;
  let large: Uint8Array;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-transfer-'));
    server = await startS3('MinIO');
    proxy = await startProxy(server.settings.AWS_ENDPOINT_URL_S3 ?? '');
    const connection = await connectWith({ ...server.settings, AWS_ENDPOINT_URL_S3: proxy.url });
    direct = server.store();
    store = new S3Store(direct.uri, async () => connection);
    large = randomBytes(2 * PART + 1_000);
    await writeFile(join(folder, 'large'), large);
  }, START_TIMEOUT);
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    proxy.decide = () => 'pass';
  });

  /** Gives the requests that are chosen these fates, one after the other, and lets all else pass. */
  const strike = (chosen: (request: ProxiedRequest) => boolean, ...fates: Fate[]): void => {
    proxy.decide = (request) => (chosen(request) ? (fates.shift() ?? 'pass') : 'pass');
  };
  const uploads = async (): Promise<unknown[]> => {
    const { client, sdk } = server.connection;
    return (await client.send(new sdk.ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];
  };

  it(
    'reads an object and a range whole, though answers break off',
    async () => {
      const body = randomBytes(1_000_000);
      await direct.put('object', body);
      strike(({ method }) => method === 'GET', 'halve', 'cut', 'halve', 'drop');
      expect(digest(await store.get('object'))).toBe(digest(body));
      strike(({ method }) => method === 'GET', 'halve', 'halve');
      expect(digest(await store.get('object', { start: 10, end: 900_000 }))).toBe(digest(body.subarray(10, 900_000)));
    },
    TIMEOUT,
  );

  it(
    'lists each object once, though pages break off',
    async () => {
      for (let i = 0; i < 20; i++) await direct.put(`list/${String(i).padStart(2, '0')}`, new Uint8Array(1));
      strike(({ url }) => url.includes('list-type=2'), 'halve', { status: 503, code: 'SlowDown' }, 'cut');
      const found = await Array.fromAsync(store.list('list/'));
      expect(found.map(({ key }) => key)).toEqual(
        Array.from({ length: 20 }, (_, i) => `list/${String(i).padStart(2, '0')}`),
      );
    },
    TIMEOUT,
  );

  it(
    'reads nothing wrong where an object is missing, and where a refusal breaks off',
    async () => {
      strike(({ method }) => method === 'GET', 'halve');
      await expect(store.get('missing')).rejects.toMatchObject({ name: 'LakeletError', code: 'NOT_FOUND' });
      strike(({ method }) => method === 'HEAD', 'cut', { status: 500, code: 'InternalError' });
      expect(await store.head('missing')).toBeUndefined();
    },
    TIMEOUT,
  );

  it.each<[string, (request: ProxiedRequest) => boolean, Fate[]]>([
    ['parts are lost', ({ url }) => url.includes('partNumber='), ['drop', 'cut', { status: 503, code: 'SlowDown' }]],
    ['it cannot begin at once', ({ url }) => url.endsWith('?uploads='), [{ status: 500, code: 'InternalError' }]],
    [
      'it took effect and its last answer was lost',
      ({ method, url }) => method === 'POST' && url.includes('uploadId='),
      ['cut', 'cut'],
    ],
    ['its last request comes twice', ({ method, url }) => method === 'POST' && url.includes('uploadId='), ['twice']],
  ])(
    'uploads a large file whole, though %s',
    async (what, chosen, fates) => {
      strike(chosen, ...fates);
      await store.putFile(`large/${what}`, join(folder, 'large'));
      expect(digest(await direct.get(`large/${what}`))).toBe(digest(large));
      expect(await uploads()).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'leaves neither an object nor parts behind when an upload fails for good',
    async () => {
      strike(({ url }) => url.includes('partNumber=2'), { status: 403, code: 'AccessDenied' });
      await expect(store.putFile('large/refused', join(folder, 'large'))).rejects.toMatchObject({
        name: 'LakeletError',
        code: 'ACCESS_DENIED',
        message: expect.stringContaining('large/refused'),
      });
      expect(await direct.head('large/refused')).toBeUndefined();
      expect(await uploads()).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'does not take another object for its own when an upload was aborted by others',
    async () => {
      await direct.put('large/other', new Uint8Array(5));
      strike(({ method, url }) => method === 'POST' && url.includes('uploadId='), {
        status: 404,
        code: 'NoSuchUpload',
      });
      await expect(store.putFile('large/other', join(folder, 'large'))).rejects.toMatchObject({
        name: 'LakeletError',
        code: 'STORE_FAILED',
        message: expect.stringContaining('404 NoSuchUpload'),
      });
      expect(await direct.get('large/other')).toHaveLength(5);
      expect(await uploads()).toEqual([]);
    },
    TIMEOUT,
  );

  it('follows a bucket to its region, and says so where it is not told which', async () => {
    await direct.put('object', new Uint8Array(3));
    const elsewhere = { status: 301, code: 'PermanentRedirect' };
    const told: Fate = { ...elsewhere, headers: { 'x-amz-bucket-region': 'eu-west-3' } };
    proxy.decide = ({ headers }) => (headers.authorization?.includes('/eu-west-3/') ? 'pass' : told);
    expect(await store.get('object')).toHaveLength(3);
    expect(await store.putIfAbsent('object', new Uint8Array(1))).toBe('exists');
    proxy.decide = () => elsewhere;
    for (const call of [store.get('object'), store.head('object'), store.put('object', new Uint8Array(1))]) {
      await expect(call).rejects.toMatchObject({
        name: 'LakeletError',
        code: 'WRONG_REGION',
        message: expect.stringContaining('AWS_REGION'),
      });
    }
  });

  it(
    'gives a peer up that is silent, and asks again',
    async () => {
      await direct.put('object', new Uint8Array(3));
      strike(({ method }) => method === 'GET', 'hold');
      expect(await store.get('object')).toHaveLength(3);
    },
    TIMEOUT,
  );
});
