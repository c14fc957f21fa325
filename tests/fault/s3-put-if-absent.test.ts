import { S3Store } from '../../lib/storage/s3-store.ts';
import { connectWith, type S3Server, START_TIMEOUT, startS3 } from '../emulator/s3-servers.ts';
import { type Fate, mixed, type S3Proxy, startProxy } from './s3-proxy.ts';

const TIMEOUT = 120_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);

describe('putIfAbsent over a network that fails', () => {
  let server: S3Server;
  let proxy: S3Proxy;
  /** Through the proxy, and past it. */
  let store: S3Store;
  let direct: S3Store;
  beforeAll(async () => {
    server = await startS3('MinIO');
    proxy = await startProxy(server.settings.AWS_ENDPOINT_URL_S3 ?? '');
    const connection = await connectWith({ ...server.settings, AWS_ENDPOINT_URL_S3: proxy.url });
    direct = server.store();
    store = new S3Store(direct.uri, async () => connection);
  }, START_TIMEOUT);
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(() => {
    proxy.decide = () => 'pass';
  });

  /** Gives the conditional puts these fates, one after the other, and lets all else pass. */
  const puts = (...fates: Fate[]): void => {
    proxy.decide = ({ headers }) => (headers['if-none-match'] === undefined ? 'pass' : (fates.shift() ?? 'pass'));
  };

  it.each<[string, Fate[]]>([
    ['was lost', ['drop']],
    ['took effect and its answer was lost', ['cut']],
    ['took effect, and broke off in its answer, twice', ['halve', 'halve']],
    ['was delivered twice', ['twice']],
    ['is on its way still when it is sent again', [{ late: 1_000 }]],
    ['is delivered after the one that was sent again, whose answer is lost', [{ late: 1_000 }, 'cut']],
    [
      'was throttled',
      [
        { status: 503, code: 'SlowDown' },
        { status: 429, code: 'TooManyRequests' },
      ],
    ],
    ['met another that was under way', [{ status: 409, code: 'ConditionalRequestConflict' }]],
    [
      'met errors of the server',
      [
        { status: 500, code: 'InternalError' },
        { status: 502, code: 'BadGateway' },
      ],
    ],
  ])(
    'tells the truth of a put that %s',
    async (what, fates) => {
      const key = `truth/${what}`;
      puts(...fates);
      expect(await store.putIfAbsent(key, bytes('same'))).toBe('created');
      // Whoever comes next has lost, with the very same bytes and the very same faults too.
      puts(...fates);
      expect(await store.putIfAbsent(key, bytes('same'))).toBe('exists');
      puts(...fates);
      expect(await store.putIfAbsent(key, bytes('other'))).toBe('exists');
      expect(text(await store.get(key))).toBe('same');
    },
    TIMEOUT,
  );

  it.each([1, 2, 3])(
    'has one winner of eight in each round, who knows it (seed %i)',
    async (seed) => {
      for (let round = 0; round < 12; round++) {
        const key = `race/${seed}/${round}`;
        proxy.decide = mixed(seed * 1_000 + round);
        const same = round % 2 === 0;
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, racer) => store.putIfAbsent(key, bytes(same ? 'same' : `racer ${racer}`))),
        );
        const winners = results.flatMap((result, racer) => (result === 'created' ? [racer] : []));
        expect(winners).toHaveLength(1);
        expect(text(await direct.get(key))).toBe(same ? 'same' : `racer ${winners[0]}`);
      }
      const struck = proxy.seen.filter(({ fate }) => fate === 'cut' || fate === 'halve' || fate === 'twice');
      expect(struck.length).toBeGreaterThan(20);
    },
    TIMEOUT,
  );

  it('tries a server out once a process, by a put that must be refused', async () => {
    const connection = await connectWith({ ...server.settings, AWS_ENDPOINT_URL_S3: proxy.url });
    const fresh = new S3Store(`${direct.uri}/fresh`, async () => connection);
    const sent = async (key: string): Promise<number> => {
      const before = proxy.seen.length;
      expect(await fresh.putIfAbsent(key, bytes(key))).toBe('created');
      return proxy.seen.slice(before).filter(({ headers }) => headers['if-none-match'] === '*').length;
    };
    expect(await sent('first')).toBe(2);
    expect(await sent('second')).toBe(1);
    expect(text(await fresh.get('first'))).toBe('first');
  });

  it('says in one line that the server knows no conditional puts', async () => {
    puts({ status: 501, code: 'NotImplemented' });
    await expect(store.putIfAbsent('refused', bytes('x'))).rejects.toMatchObject({
      name: 'LakeletError',
      code: 'NOT_SUPPORTED',
      retryable: false,
      message: expect.stringMatching(
        /^Cannot write s3:\/\/lakelet\/.*\/refused: .* does not support it \(501 NotImplemented.*lakelet doctor.*$/,
      ),
    });
    expect(await store.head('refused')).toBeUndefined();
  });
});
