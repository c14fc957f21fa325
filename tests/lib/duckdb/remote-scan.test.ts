import { DeltaTable, DuckDBEngine } from '../../../lib/duckdb/delta.ts';
import { SlowStore, shutGate } from './slow-store.ts';
import { field, struct } from './tables.ts';

let serial = 0;
let store: SlowStore;
beforeEach(() => {
  store = new SlowStore(`memory://remote-scan-${serial++}`);
});

/** The number of reads that work makes. */
async function readsOf(work: () => Promise<unknown>): Promise<number> {
  const before = store.reads;
  await work();
  return store.reads - before;
}

async function tableOf(files: number): Promise<DeltaTable> {
  const table = await DeltaTable.create(store, {
    schema: struct(field('id', 'long')),
    properties: { 'delta.checkpointInterval': '1000' },
  });
  for (let id = 0; id < files; id++) await table.append({ rows: [{ id: BigInt(id) }] });
  return table;
}

describe('a table of a remote store', () => {
  it('has each data file fetched once, whichever engine of the process reads it', async () => {
    const table = await tableOf(5);
    expect(await readsOf(() => Array.fromAsync(table.scan()))).toBe(5);
    expect(await readsOf(() => Array.fromAsync(table.scan({ where: 'id > 1' })))).toBe(0);
    const other = await DuckDBEngine.open();
    try {
      const again = await DeltaTable.open(store, { engine: other });
      expect(await readsOf(() => Array.fromAsync(again.scan()))).toBe(0);
      expect(await readsOf(() => other.view('t', again))).toBe(0);
      expect(await other.rows('SELECT count(*) AS n FROM t')).toEqual([{ n: 5n }]);
    } finally {
      other.close();
    }
  });

  it('has only the files fetched that may hold what a condition asks for', async () => {
    const table = await tableOf(6);
    expect(await readsOf(() => Array.fromAsync(table.scan({ where: 'id >= 4' })))).toBe(2);
  });

  it('is refreshed by the new commits alone', async () => {
    const table = await tableOf(3);
    const other = await DeltaTable.open(store);
    await table.append({ rows: [{ id: 9n }] });
    expect(await readsOf(() => other.refresh())).toBe(1);
    expect(other.version).toBe(4);
  });

  it('has its commits read side by side', async () => {
    await tableOf(40);
    let running = 0;
    let most = 0;
    const get = store.get.bind(store);
    store.get = async (key, range) => {
      most = Math.max(most, ++running);
      const bytes = await get(key, range);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return bytes;
    };
    expect((await DeltaTable.open(store)).version).toBe(40);
    expect(most).toBeGreaterThan(20);
  });

  it('is read from its checkpoint, which is fetched anew each time', async () => {
    const table = await tableOf(4);
    await table.checkpoint();
    expect(await readsOf(() => DeltaTable.open(store))).toBe(1);
    expect(await readsOf(() => DeltaTable.open(store))).toBe(1);
  });

  it('is no longer waited for when a scan or a view of it is stopped', async () => {
    const table = await tableOf(3);
    const engine = await DuckDBEngine.open();
    const { gate, open } = shutGate();
    store.gate = gate;
    try {
      const stop = new AbortController();
      const { signal } = stop;
      const stopped = Promise.allSettled([
        engine.view('t', table, { signal }),
        Array.fromAsync(table.scan({ signal })),
      ]);
      stop.abort();
      expect(await stopped).toEqual(
        Array(2).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'ABORTED' }) }),
      );
    } finally {
      open();
      engine.close();
    }
  });

  it('tells a data file that is cut short, or gone', async () => {
    const table = await tableOf(1);
    const path = (await table.files())[0]?.path ?? '';
    const body = await store.get(path);
    await store.put(path, body.slice(0, -1));
    await expect(Array.fromAsync(table.scan())).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    await store.delete(path);
    await expect(Array.fromAsync(table.scan())).rejects.toMatchObject({ code: 'FILE_MISSING' });
  });
});
