import type { Json } from '@duckdb/node-api';
import { purchases } from '../../../datasets/purchases/index.ts';
import { CATEGORIES, EDUCATIONS, PAYMENT_METHODS } from '../../../datasets/purchases/pools.ts';
import { described, Shop, shippedSql } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await Shop.open();
});
afterEach(() => {
  shop.close();
});

/** What a record has where a test says nothing else; a Sunday evening in Europe, Monday in Auckland. */
const RECORD = {
  purchase_id: `'p1'`,
  customer_id: `'c1'`,
  purchased_at: `TIMESTAMPTZ '2025-03-02 18:30:00+00'`,
  updated_at: `TIMESTAMPTZ '2025-03-02 19:00:00+00'`,
  age: '40',
  income: '50000',
  education: `'Bachelor'`,
  city: `'Springfield'`,
  product_category: `'Books'`,
  product: `'A Book'`,
  payment_method: `'PayPal'`,
  quantity: '2',
  unit_price: '10.50',
  purchase_amount: '21.00',
};

type Change = Partial<Record<keyof typeof RECORD, string>>;

/** Lands a record a change, as purchases p1, p2, …, and refines them. */
async function refine(...changes: readonly Change[]): Promise<void> {
  for (const [at, change] of changes.entries()) {
    const record = { ...RECORD, purchase_id: `'p${at + 1}'`, ...change };
    await shop.connection.run(
      `INSERT INTO bronze BY NAME SELECT ${Object.entries(record)
        .map(([name, value]) => `${value} AS ${name}`)
        .join(', ')},
        'r1' AS run_id, 's' AS source, TIMESTAMPTZ '2026-03-01 12:00:00+00' AS ingested_at`,
    );
  }
  await shop.refine();
}

/** A column of silver, by purchase_id. */
async function silver(column: string): Promise<Json[]> {
  return (await shop.rows(`SELECT ${column} AS value FROM silver ORDER BY purchase_id`)).map(
    ({ value }) => value ?? null,
  );
}

describe('silver of hand-made records', () => {
  it('takes time apart in UTC, whatever the session is in', async () => {
    await refine(
      {},
      { purchased_at: `TIMESTAMPTZ '2024-12-31 23:59:59.999999+00'` },
      { purchased_at: `TIMESTAMPTZ '2025-01-01 00:00:00+00'` },
      { purchased_at: `TIMESTAMPTZ '2024-06-30 23:00:00-05'` },
    );
    const parts = ['purchase_date', 'year', 'quarter', 'month', 'day_of_week', 'hour', 'is_weekend'];
    expect(await silver(`[${parts.map((part) => `${part}::VARCHAR`).join(', ')}]`)).toEqual([
      ['2025-03-02', '2025', '1', '3', '7', '18', 'true'],
      ['2024-12-31', '2024', '4', '12', '2', '23', 'false'],
      ['2025-01-01', '2025', '1', '1', '3', '0', 'false'],
      ['2024-07-01', '2024', '3', '7', '1', '4', 'false'],
    ]);
  });

  it('fills a missing age with the median of the others, rounded', async () => {
    await refine({ age: '20' }, { age: '30' }, { age: '41' }, { age: '60' }, { age: 'NULL' });
    expect(await silver('age')).toEqual([20, 30, 41, 60, 36]);
    expect(await silver('age_group')).toEqual(['18-24', '25-34', '35-44', '55-64', '35-44']);
  });

  it('fills a missing income with the median of the same education, or of all where that has none', async () => {
    await refine(
      { education: `'PhD'`, income: '90000' },
      { education: `' phd '`, income: '110000' },
      { education: `'PHD'`, income: 'NULL' },
      { education: `'Master'`, income: '50000' },
      { education: 'NULL', income: 'NULL' },
      { education: `'Master'`, income: 'NULL' },
    );
    expect(await silver('income')).toEqual([90_000, 110_000, 100_000, 50_000, 90_000, 50_000]);
    expect(await silver('education')).toEqual(['PhD', 'PhD', 'PhD', 'Master', 'Unknown', 'Master']);
  });

  it('knows no age and no income where no record has one', async () => {
    await refine({ age: 'NULL', income: 'NULL' });
    expect(await shop.rows('SELECT age, income, age_group, income_category FROM silver')).toEqual([
      { age: null, income: null, age_group: 'Unknown', income_category: 'Unknown' },
    ]);
  });

  it('learns nothing from quarantined and superseded records', async () => {
    await refine(
      { age: '20', quantity: '0' },
      { age: '80', purchase_id: `'p3'`, updated_at: `TIMESTAMPTZ '2025-03-02 18:45:00+00'` },
      { age: '50', purchase_id: `'p3'` },
      { age: 'NULL' },
    );
    expect(await silver('age')).toEqual([50, 50]);
  });

  it('spells words alike, and calls what it does not know Unknown', async () => {
    await refine(
      {
        product_category: `' SPORTS '`,
        education: `E'high\\t school'`,
        payment_method: `'CREDIT  card '`,
        city: `' Rome '`,
      },
      { product_category: `'home'`, education: `'none'`, payment_method: `'cash'`, city: `'  '`, product: 'NULL' },
      { city: 'NULL', product: `''`, payment_method: 'NULL', education: `''` },
    );
    expect(await silver('product_category')).toEqual(['Sports', 'Home', 'Books']);
    expect(await silver('education')).toEqual(['High School', 'Unknown', 'Unknown']);
    expect(await silver('payment_method')).toEqual(['Credit Card', 'Unknown', 'Unknown']);
    expect(await silver('city')).toEqual(['Rome', 'Unknown', 'Unknown']);
    expect(await silver('product')).toEqual(['A Book', 'Unknown', 'Unknown']);
  });

  it('groups ages and incomes, each bound in the higher group', async () => {
    const ages = [0, 17, 18, 24, 25, 34, 35, 44, 45, 54, 55, 64, 65];
    const incomes = [0, 29_999.99, 30_000, 59_999.99, 60_000, 99_999.99, 100_000];
    await refine(...ages.map((age, at) => ({ purchase_id: `'a${String(at).padStart(2, '0')}'`, age: String(age) })));
    expect(await silver('age_group')).toEqual([
      '0-17',
      '0-17',
      '18-24',
      '18-24',
      '25-34',
      '25-34',
      '35-44',
      '35-44',
      '45-54',
      '45-54',
      '55-64',
      '55-64',
      '65+',
    ]);
    await shop.connection.run('TRUNCATE bronze');
    await refine(...incomes.map((income) => ({ income: String(income) })));
    expect(await silver('income_category')).toEqual([
      'Low',
      'Low',
      'Middle',
      'Middle',
      'Upper Middle',
      'Upper Middle',
      'High',
    ]);
  });

  it('comes in the order of time, then id', async () => {
    await refine(
      { purchased_at: `TIMESTAMPTZ '2025-03-01 00:00:00+00'` },
      { purchased_at: `TIMESTAMPTZ '2025-01-01 00:00:00+00'`, purchase_id: `'z'` },
      { purchased_at: `TIMESTAMPTZ '2025-01-01 00:00:00+00'`, purchase_id: `'b'` },
      { purchased_at: `TIMESTAMPTZ '2025-02-01 00:00:00+00'` },
    );
    expect((await shop.rows('SELECT purchase_id FROM silver ORDER BY rowid')).map((row) => row.purchase_id)).toEqual([
      'b',
      'z',
      'p4',
      'p1',
    ]);
  });
});

describe('a record is quarantined', () => {
  it.each<[string, Change]>([
    ['purchase_id_missing', { purchase_id: 'NULL' }],
    ['purchase_id_blank', { purchase_id: `' '` }],
    ['customer_id_missing', { customer_id: 'NULL' }],
    ['customer_id_missing', { customer_id: `''` }],
    ['purchase_date_missing', { purchased_at: 'NULL' }],
    ['purchase_date_missing', { purchased_at: `'-infinity'::TIMESTAMPTZ` }],
    ['purchase_date_in_future', { purchased_at: `TIMESTAMPTZ '2026-03-01 00:00:00.000001+00'` }],
    ['update_out_of_range', { updated_at: 'NULL' }],
    ['update_out_of_range', { updated_at: `TIMESTAMPTZ '2025-03-02 18:29:59+00'` }],
    ['update_out_of_range', { updated_at: `TIMESTAMPTZ '2026-03-02 00:00:00+00'` }],
    ['age_out_of_range', { age: '-1' }],
    ['age_out_of_range', { age: '121' }],
    ['income_out_of_range', { income: '-0.01' }],
    ['income_out_of_range', { income: `'nan'::DOUBLE` }],
    ['income_out_of_range', { income: `'infinity'::DOUBLE` }],
    ['category_unknown', { product_category: 'NULL' }],
    ['category_unknown', { product_category: `'Toys'` }],
    ['quantity_out_of_range', { quantity: '0', purchase_amount: '0' }],
    ['quantity_out_of_range', { quantity: '1001', purchase_amount: '10510.50' }],
    ['quantity_out_of_range', { quantity: 'NULL' }],
    ['unit_price_out_of_range', { unit_price: '0', purchase_amount: '0' }],
    ['unit_price_out_of_range', { unit_price: `'nan'::DOUBLE` }],
    ['unit_price_out_of_range', { unit_price: 'NULL' }],
    ['amount_does_not_fit', { purchase_amount: 'NULL' }],
    ['amount_does_not_fit', { purchase_amount: '21.02' }],
    ['amount_does_not_fit', { purchase_amount: '16.78' }],
    ['amount_does_not_fit', { purchase_amount: '-21' }],
    ['amount_does_not_fit', { purchase_amount: `'nan'::DOUBLE` }],
  ])('by %s: %j', async (rule, change) => {
    await refine(change);
    expect(await shop.rows('SELECT rule FROM quarantined')).toEqual([{ rule }]);
    expect(await silver('purchase_id')).toEqual([]);
  });

  it.each<[string, Change]>([
    [
      'at the last moment',
      { purchased_at: `TIMESTAMPTZ '2026-03-01 00:00:00+00'`, updated_at: `TIMESTAMPTZ '2026-03-01 00:00:00+00'` },
    ],
    ['of the greatest age', { age: '120' }],
    ['without age and income', { age: 'NULL', income: 'NULL' }],
    ['of many pieces', { quantity: '1000', purchase_amount: '10500' }],
    ['with the largest discount', { purchase_amount: '16.80' }],
    ['rounded up', { purchase_amount: '21.005' }],
  ])('but not one %s', async (_, change) => {
    await refine(change);
    expect(await shop.rows('SELECT rule FROM quarantined')).toEqual([]);
  });
});

describe('silver of generated purchases', () => {
  const columns = described(purchases.silver.columns);

  it('has the columns that the dataset states, as the SQL file yields them', async () => {
    await shop.deliver(100, 5);
    await shop.refine();
    expect(await shop.describe(shippedSql(purchases.silver.sqlFile))).toEqual(columns);
  });

  it('is complete, spelt alike, in range and consistent in every row', async () => {
    await shop.deliver(30_000, 5);
    await shop.refine();
    const list = (words: readonly string[]) => [...words, 'Unknown'].map((word) => `'${word}'`).join(', ');
    const broken = await shop.rows(`SELECT * FROM silver WHERE NOT coalesce(
      ${columns.map((column) => `${column.split(' ')[0]} IS NOT NULL`).join(' AND ')}
      AND age BETWEEN 0 AND 120 AND income >= 0 AND quantity BETWEEN 1 AND 1000 AND unit_price > 0
      AND purchase_amount BETWEEN unit_price * quantity * 0.8 - 0.01 AND unit_price * quantity + 0.01
      AND purchased_at BETWEEN TIMESTAMPTZ '2024-01-01 00:00:00+00' AND TIMESTAMPTZ '2026-03-01 00:00:00+00'
      AND education IN (${list(EDUCATIONS)}) AND payment_method IN (${list(PAYMENT_METHODS)})
      AND product_category IN (${CATEGORIES.map((word) => `'${word}'`).join(', ')})
      AND year = year(purchase_date) AND month = month(purchase_date) AND quarter = quarter(purchase_date)
      AND day_of_week = isodow(purchase_date) AND is_weekend = (day_of_week IN (6, 7)) AND hour BETWEEN 0 AND 23, false)`);
    expect(broken).toEqual([]);
    const [row] =
      await shop.rows(`SELECT count(*) = count(DISTINCT purchase_id) AND count(*) = (SELECT count(*) FROM good) AS kept
      FROM silver`);
    expect(row).toEqual({ kept: true });
  });

  it('accounts for every record, and holds the same after a second delivery', async () => {
    await shop.deliver(20_000, 5, 1);
    await shop.refine();
    const tables = ['FROM silver', 'FROM quarantined'];
    const first = [];
    for (const sql of tables) first.push(await shop.rows(sql));
    await shop.deliver(20_000, 5, 2);
    await shop.refine();
    const second = [];
    for (const sql of tables) second.push(await shop.rows(sql));
    expect(second).toEqual(first);
    const fates = await shop.rows(`SELECT run_id, "in"::INTEGER AS "in", good > 0 AS good,
      ("in" - good - quarantined - duplicates)::INTEGER AS lost FROM fates`);
    expect(fates).toEqual([
      { run_id: 'r1', in: 20_000, good: true, lost: 0 },
      { run_id: 'r2', in: 20_000, good: false, lost: 0 },
    ]);
  });
});
