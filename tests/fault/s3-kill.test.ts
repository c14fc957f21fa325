// A process that writes to S3 is killed in the middle of it. KILL_SEED and KILL_ROUNDS make other and longer runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DeltaTable, type ObjectStore } from '../../lib/duckdb/delta.ts';
import { environment, type S3Server, START_TIMEOUT, startS3 } from '../emulator/s3-servers.ts';
import { type Fate, type ProxiedRequest, type S3Proxy, seeded, startProxy } from './s3-proxy.ts';

const SEED = Number(process.env.KILL_SEED ?? 7);
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 8);

const field = (name: string) => ({ name, type: 'integer', nullable: false, metadata: {} });
const schema = { type: 'struct', fields: [field('n'), field('part')] } as const;

type Choose = (request: ProxiedRequest) => boolean;

describe('a writer to S3 that is killed', () => {
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

  /**
   * Lets a writer go on from row `from`, and kills it at the first request that is chosen, which then has this fate.
   *
   * @returns the rows whose append returned
   */
  async function writeAndDie(uri: string, from: number, fate: Fate, chosen: Choose): Promise<number[]> {
    let killed = false;
    proxy.decide = (request) => {
      if (killed || !chosen(request)) return 'pass';
      killed = true;
      writer.kill('SIGKILL');
      return fate;
    };
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'killed-writer.ts'), uri, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...environment({ ...server.settings, AWS_ENDPOINT_URL_S3: proxy.url }), NODE_OPTIONS: '' },
    });
    const exited = once(writer, 'exit');
    const done: number[] = [];
    for await (const line of createInterface({ input: writer.stdout })) if (line !== 'ready') done.push(Number(line));
    expect(await exited).toEqual([null, 'SIGKILL']);
    await proxy.settled();
    return done;
  }

  async function rowsOf(store: ObjectStore): Promise<number[]> {
    const rows: number[] = [];
    for await (const batch of (await DeltaTable.open(store)).scan()) rows.push(...batch.map(({ n }) => Number(n)));
    return rows.sort((a, b) => a - b);
  }

  it('loses no commit and makes none twice, killed before a request and after it took effect', async () => {
    const store = server.store();
    await DeltaTable.create(store, { schema, properties: { 'delta.checkpointInterval': '3' } });
    const random = seeded(SEED);
    let next = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Some requests are those of opening the table; after them an append has a handful.
      let left = 5 + Math.floor(random() * 40);
      const done = await writeAndDie(store.uri, next, round % 2 === 0 ? 'cut' : 'drop', () => --left === 0);
      expect(done).toEqual(done.map((_, i) => next + i));
      next += done.length;
      const rows = await rowsOf(store);
      // The commit during which the writer died is there or not; what it had told of is there.
      expect([next, next + 1]).toContain(rows.length);
      expect(rows).toEqual(rows.map((_, i) => i));
      const log = await Array.fromAsync(store.list('_delta_log/'));
      const { version } = await DeltaTable.open(store);
      expect(log.filter(({ key }) => /\/\d{20}\.json$/.test(key))).toHaveLength(version + 1);
    }
    expect(next).toBeGreaterThan(0);
  }, 180_000);

  it('has its commit once, when the next one begins with it again', async () => {
    const store = server.store();
    await DeltaTable.create(store, { schema });
    const commit: Choose = ({ headers, url }) =>
      headers['if-none-match'] !== undefined && /_delta_log\/\d{20}\.json/.test(url);
    await writeAndDie(store.uri, 0, 'drop', commit);
    expect(await rowsOf(store)).toEqual([]);
    await writeAndDie(store.uri, 0, 'cut', commit);
    expect(await rowsOf(store)).toEqual([0]);
    // Row 0 is there already, so that its commit is passed over, and the first that is tried is row 1's.
    await writeAndDie(store.uri, 0, 'cut', commit);
    expect(await rowsOf(store)).toEqual([0, 1]);
  }, 60_000);
});
