import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { connectWith, type S3Server, START_TIMEOUT, startS3 } from '../emulator/s3-servers.ts';
import { mixed, type S3Proxy, startProxy } from './s3-proxy.ts';

const WRITERS = 4;
const COMMITS = 12;

const SCHEMA = {
  type: 'struct',
  fields: ['writer', 'n'].map((name) => ({ name, type: 'integer', nullable: false, metadata: {} })),
} as const;

describe('tables in S3 over a network that fails', () => {
  let server: S3Server;
  let proxy: S3Proxy;
  beforeAll(async () => {
    server = await startS3('MinIO');
    proxy = await startProxy(server.settings.AWS_ENDPOINT_URL_S3 ?? '');
  }, START_TIMEOUT);
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  it.each([1, 2])(
    'have each commit as one version, and each row once (seed %i)',
    async (seed) => {
      const connection = await connectWith({ ...server.settings, AWS_ENDPOINT_URL_S3: proxy.url });
      const direct = server.store();
      const store = new S3Store(direct.uri, async () => connection);
      proxy.decide = mixed(seed, 0.3);
      await DeltaTable.create(store, { schema: SCHEMA });
      const made = await Promise.all(
        Array.from({ length: WRITERS }, async (_, writer) => {
          const table = await DeltaTable.open(store);
          const versions: number[] = [];
          for (let n = 0; n < COMMITS; n++) versions.push((await table.append({ rows: [{ writer, n }] })).version);
          return versions;
        }),
      );
      const all = Array.from({ length: WRITERS * COMMITS }, (_, i) => i + 1);
      expect(made.flat().sort((a, b) => a - b)).toEqual(all);

      const logged = (await Array.fromAsync(direct.list('_delta_log/'))).map(({ key }) => key);
      expect(logged.filter((key) => /\/\d{20}\.json$/.test(key))).toHaveLength(all.length + 1);

      const table = await DeltaTable.open(direct);
      const rows: string[] = [];
      for await (const batch of table.scan()) rows.push(...batch.map(({ writer, n }) => `${writer}/${n}`));
      const expected = made.flatMap((_, writer) => Array.from({ length: COMMITS }, (_unused, n) => `${writer}/${n}`));
      expect(rows.sort()).toEqual(expected.sort());
      expect(proxy.seen.filter(({ fate }) => fate === 'cut').length).toBeGreaterThan(5);
    },
    240_000,
  );
});
