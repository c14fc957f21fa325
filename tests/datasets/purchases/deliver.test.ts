import { BLOCK_ROWS } from '../../../datasets/purchases/block.ts';
import { purchases } from '../../../datasets/purchases/index.ts';
import { onProgress } from '../../../lib/progress.ts';
import { described, Shop } from './shop.ts';

const ROWS = 3 * BLOCK_ROWS + 100;

let shop: Shop;
beforeEach(async () => {
  shop = await Shop.open();
});
afterEach(() => {
  shop.close();
});

/** The delivered rows, in the order in which they come. */
async function delivered(shards: number, shard?: number, rows = ROWS, seed = 42): Promise<unknown[]> {
  const { sql } = purchases.deliver(shop.connection, { rows, seed, shards, ...(shard !== undefined && { shard }) });
  return shop.rows(sql);
}

describe('a delivery', () => {
  it('has the columns and the number of rows that it states, and tells its source', async () => {
    const delivery = purchases.deliver(shop.connection, { rows: ROWS, seed: 42, shards: 1 });
    expect(await shop.describe(delivery.sql)).toEqual(described(purchases.columns));
    expect(delivery.rows).toBe(ROWS);
    expect(await shop.rows(`SELECT count(*)::INTEGER AS rows FROM (${delivery.sql})`)).toEqual([{ rows: ROWS }]);
    expect(delivery.source).toBe('faker:seed=42');
  });

  it('is the same at each reading, on another connection and beside another delivery', async () => {
    const once = await delivered(1);
    const delivery = purchases.deliver(shop.connection, { rows: ROWS, seed: 42, shards: 1 });
    const beside = purchases.deliver(shop.connection, { rows: ROWS, seed: 42, shards: 1 });
    const [left, right] = await Promise.all([shop.rows(delivery.sql), shop.rows(beside.sql)]);
    expect(left).toEqual(once);
    expect(right).toEqual(once);
    expect(await shop.rows(delivery.sql)).toEqual(once);
    const other = await Shop.open();
    expect(await other.rows(purchases.deliver(other.connection, { rows: ROWS, seed: 42, shards: 1 }).sql)).toEqual(
      once,
    );
    other.close();
  });

  it.each([2, 3, 7])('in %d shards is the same rows in the same order', async (shards) => {
    const parts: unknown[] = [];
    for (let shard = 0; shard < shards; shard++) parts.push(...(await delivered(shards, shard)));
    expect(parts).toEqual(await delivered(1));
  });

  it('states the rows of each shard, which may be none', () => {
    const rows = Array.from(
      { length: 7 },
      (_, shard) => purchases.deliver(shop.connection, { rows: ROWS, seed: 42, shards: 7, shard }).rows,
    );
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(ROWS);
    expect(rows).toContain(0);
  });

  it('of a shard without rows, or of no rows, is empty', async () => {
    expect(await delivered(7, 0)).toEqual([]);
    expect(await delivered(1, undefined, 0)).toEqual([]);
  });

  it('of more rows starts with the same ones', async () => {
    expect((await delivered(1, undefined, ROWS)).slice(0, 500)).toEqual(await delivered(1, undefined, 500));
  });

  it('of another seed shares no purchase and no customer', async () => {
    await shop.deliver(2000, 1);
    await shop.deliver(2000, 2, 2);
    const shared = (column: string) =>
      shop.rows(
        `SELECT ${column} FROM bronze WHERE run_id = 'r1' INTERSECT SELECT ${column} FROM bronze WHERE run_id = 'r2'`,
      );
    expect(await shared('purchase_id')).toEqual([]);
    expect(await shared('customer_id')).toEqual([]);
  });

  it('tells how far it is, up to all of its rows', async () => {
    const told: unknown[] = [];
    const stop = onProgress(({ step, rows, total }) => told.push([step, rows, total]));
    await delivered(2, 1);
    stop();
    const rows = ROWS - 2 * BLOCK_ROWS;
    expect(told).toEqual([
      ['bronze', BLOCK_ROWS, rows],
      ['bronze', rows, rows],
    ]);
  });
});
