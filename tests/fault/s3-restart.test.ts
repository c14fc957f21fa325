import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { startMinio } from '../../localstack/minio.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { BUCKET, connectWith, START_TIMEOUT } from '../emulator/s3-servers.ts';

const COMMITS = 25;
/** How long the server is away; milliseconds. */
const DOWN = 5_000;

describe('a server that is stopped and started again', () => {
  let home: string;
  let server: RunningServer;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'lakelet-restart-'));
    server = await startMinio({ home, buckets: [BUCKET] });
  }, START_TIMEOUT);
  afterAll(async () => {
    await server?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('costs a writer neither a commit nor a row, and doubles none', async () => {
    const { AWS_ENDPOINT_URL_S3 = '' } = server.settings;
    const port = Number(new URL(AWS_ENDPOINT_URL_S3).port);
    const connection = await connectWith(server.settings);
    const store = new S3Store(`s3://${BUCKET}/table`, async () => connection);
    const schema = { type: 'struct', fields: [{ name: 'n', type: 'integer', nullable: false, metadata: {} }] } as const;
    const table = await DeltaTable.create(store, { schema });

    let restarted: Promise<void> | undefined;
    const start = async (): Promise<void> => {
      await sleep(DOWN);
      server = await startMinio({ home, port });
      expect(server.settings.AWS_ENDPOINT_URL_S3).toBe(AWS_ENDPOINT_URL_S3);
    };
    for (let n = 0; n < COMMITS; n++) {
      if (n === 5 || n === 15) {
        await restarted;
        await server.stop();
        restarted = start();
      }
      expect((await table.append({ rows: [{ n }] })).version).toBe(n + 1);
    }
    await restarted;

    const rows: unknown[] = [];
    for await (const batch of (await DeltaTable.open(store)).scan()) rows.push(...batch.map((row) => row.n));
    expect(rows.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: COMMITS }, (_, n) => n));
  }, 120_000);
});
