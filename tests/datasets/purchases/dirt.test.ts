import { Shop } from './shop.ts';

const ROWS = 50_000;

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open();
  await shop.deliver(ROWS, 7);
  await shop.refine();
});
afterAll(() => {
  shop.close();
});

/** The share of bronze's records for which a condition is true. */
async function share(condition: string): Promise<number> {
  const [row] = await shop.rows(`SELECT count(*) FILTER (${condition})::DOUBLE / count(*) AS share FROM bronze`);
  return Number(row?.share);
}

describe('of the purchases', () => {
  it('2 % are duplicates, about half of them exact and half corrections', async () => {
    const [row] = await shop.rows(`SELECT 1 - count(DISTINCT purchase_id) / count(*) AS again,
      1 - (SELECT count(*) FROM (SELECT DISTINCT * FROM bronze)) / count(*) AS exact FROM bronze`);
    expectWithin(row?.again, 0.017, 0.023);
    expectWithin(row?.exact, 0.008, 0.012);
  });

  it('2 to 5 % are quarantined, by each of the rules that the generator breaks', async () => {
    const broken = await shop.rows(
      `SELECT rule, count(*) / ${ROWS} AS share FROM quarantined GROUP BY rule ORDER BY rule`,
    );
    expect(broken.map(({ rule }) => rule)).toEqual([
      'age_out_of_range',
      'amount_does_not_fit',
      'category_unknown',
      'income_out_of_range',
      'purchase_date_in_future',
      'quantity_out_of_range',
      'unit_price_out_of_range',
    ]);
    expectWithin(
      broken.reduce((sum, row) => sum + Number(row.share), 0),
      0.02,
      0.05,
    );
    for (const row of broken) expectWithin(row.share, 0.001, 0.012);
  });

  it.each([
    ['age', 0.03],
    ['income', 0.05],
    ['education', 0.02],
    ['city', 0.015],
    ['payment_method', 0.01],
    ['product_category', 0.002],
  ])('%s is missing in the stated share', async (column, stated) => {
    expectWithin(await share(`${column} IS NULL`), stated * 0.8, stated * 1.2);
  });

  it('no key, customer, time, quantity or amount is missing', async () => {
    for (const column of [
      'purchase_id',
      'customer_id',
      'purchased_at',
      'updated_at',
      'product',
      'quantity',
      'unit_price',
    ]) {
      expect(await share(`${column} IS NULL`)).toBe(0);
    }
    expect(await share('purchase_amount IS NULL')).toBe(0);
  });

  it('about 5 % have a word misspelt, in case or by spaces', async () => {
    const misspelt = (column: string) => `(${column} IS NOT NULL AND ${column} NOT IN (SELECT ${column} FROM silver))`;
    expectWithin(await share(misspelt('product_category')), 0.02, 0.03);
    expectWithin(await share(misspelt('education')), 0.009, 0.016);
    expectWithin(await share(misspelt('payment_method')), 0.009, 0.016);
    const [row] = await shop.rows(`SELECT count(DISTINCT product_category)::INTEGER AS spellings,
      count(DISTINCT lower(trim(product_category)))::INTEGER AS categories FROM bronze`);
    expect(row).toEqual({ spellings: 36, categories: 6 });
  });
});

function expectWithin(value: unknown, least: number, most: number): void {
  expect(Number(value)).toBeGreaterThanOrEqual(least);
  expect(Number(value)).toBeLessThanOrEqual(most);
}
