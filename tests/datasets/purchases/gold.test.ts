import { purchases } from '../../../datasets/purchases/index.ts';
import { described, Shop, shippedSql } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await Shop.open();
});
afterEach(() => {
  shop.close();
});

function sqlOf(name: string): string {
  const aggregate = purchases.gold.find((one) => one.name === name);
  if (aggregate === undefined) throw new Error(`no aggregate ${name}`);
  return shippedSql(aggregate.sqlFile);
}

describe('an aggregate of gold', () => {
  it('has the columns that the dataset states', async () => {
    await shop.deliver(100, 5);
    await shop.refine();
    for (const { columns, sqlFile } of purchases.gold) {
      expect(await shop.describe(shippedSql(sqlFile))).toEqual(described(columns));
    }
  });

  it('counts purchases and customers, and sums, averages and halves amounts, in the order of its groups', async () => {
    await shop.connection.run(`CREATE TABLE silver AS SELECT * FROM (VALUES
      ('Home', '25-34', 'PhD', 'High', 2025, 2, 'c1', 0.1), ('Home', '25-34', 'PhD', 'High', 2025, 1, 'c1', 0.2),
      ('Home', '18-24', 'PhD', 'Low', 2024, 12, 'c2', 3.0), ('Books', '18-24', 'Master', 'Low', 2024, 12, 'c2', 5.0))
      AS rows (product_category, age_group, education, income_category, year, month, customer_id, purchase_amount)`);
    await shop.connection.run('ALTER TABLE silver ALTER purchase_amount TYPE DOUBLE');
    const values = async (name: string) => (await shop.connection.runAndReadAll(sqlOf(name))).getRowsJson();
    expect(await values('purchases_by_category')).toEqual([
      ['Books', '1', '1', 5, 5, 5],
      ['Home', '3', '2', 3.3, 3.3 / 3, 0.2],
    ]);
    expect(await values('purchases_by_demographics')).toEqual([
      ['18-24', 'Master', 'Low', '1', '1', 5, 5, 5],
      ['18-24', 'PhD', 'Low', '1', '1', 3, 3, 3],
      ['25-34', 'PhD', 'High', '2', '1', 0.3, 0.15, 0.15000000000000002],
    ]);
    expect(await values('purchases_by_period')).toEqual([
      [2024, 12, '2', '1', 8, 4, 4],
      [2025, 1, '1', '1', 0.2, 0.2, 0.2],
      [2025, 2, '1', '1', 0.1, 0.1, 0.1],
    ]);
  });

  it('is the same to the last bit in whatever order silver lies', async () => {
    await shop.deliver(30_000, 5);
    await shop.refine();
    for (const { name } of purchases.gold) {
      const before = await shop.rows(sqlOf(name));
      await shop.connection.run(
        `CREATE OR REPLACE TABLE silver AS FROM silver ORDER BY hash(purchase_id || '${name}')`,
      );
      expect(await shop.rows(sqlOf(name))).toEqual(before);
    }
  });

  it('agrees with silver in its totals', async () => {
    await shop.deliver(10_000, 5);
    await shop.refine();
    const [all] = await shop.rows(
      'SELECT count(*)::INTEGER AS purchases, sum(purchase_amount::DECIMAL(18, 2))::VARCHAR AS revenue FROM silver',
    );
    for (const { name } of purchases.gold) {
      const [total] = await shop.rows(
        `SELECT sum(purchases)::INTEGER AS purchases, sum(revenue::DECIMAL(18, 2))::VARCHAR AS revenue FROM (${sqlOf(name)})`,
      );
      expect(total).toEqual(all);
    }
  });

  it('of an empty silver is empty', async () => {
    await shop.refine();
    for (const { name } of purchases.gold) expect(await shop.rows(sqlOf(name))).toEqual([]);
  });
});

describe('the model', () => {
  it('knows columns of silver alone, and nothing that its target is made of', () => {
    const names = purchases.silver.columns.map(({ name }) => name);
    const features = purchases.model.features.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...features, purchases.model.target]));
    for (const told of ['purchase_amount', 'unit_price', 'quantity', 'product', 'purchase_id', 'customer_id']) {
      expect(features).not.toContain(told);
    }
  });
});
