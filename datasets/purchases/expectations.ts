import type { Expectation } from '../../lib/quality/expectation.ts';
import { calendar } from './clock.ts';
import { CATEGORIES } from './pools.ts';

/** The greatest age of a buyer, in years. */
const GREATEST_AGE = 120;

/** The greatest yearly income that is believed. */
const GREATEST_INCOME = 10_000_000;

/** The most pieces in one purchase. */
const MOST_PIECES = 1000;

/** The highest price of one piece. */
const HIGHEST_PRICE = 1_000_000;

/** The largest discount that the shop gives, as a share of the price. */
export const LARGEST_DISCOUNT = 0.2;

/** What rounding to cents may add to an amount or take from it. */
const ROUNDING = 0.01;

const asOf = `TIMESTAMPTZ '${new Date(calendar.asOf * 1000).toISOString()}'`;

/** What every purchase in silver satisfies; a record is quarantined by the first rule of this order that it breaks. */
export const expectations: readonly Expectation[] = [
  {
    rule: 'purchase_id_blank',
    condition: `trim(purchase_id) <> ''`,
    reason: 'The purchase has no id.',
  },
  {
    rule: 'customer_id_missing',
    condition: `trim(customer_id) <> ''`,
    reason: 'The purchase names no customer.',
  },
  {
    rule: 'purchase_date_missing',
    condition: 'isfinite(purchased_at)',
    reason: 'The purchase has no date.',
  },
  {
    rule: 'purchase_date_in_future',
    condition: `purchased_at <= ${asOf}`,
    reason: 'The purchase lies after the day that the data was drawn on, 2026-03-01.',
  },
  {
    rule: 'update_out_of_range',
    condition: `updated_at >= purchased_at AND updated_at <= ${asOf}`,
    reason: 'The last update is missing, lies before the purchase, or after the day that the data was drawn on.',
  },
  {
    rule: 'age_out_of_range',
    condition: `age IS NULL OR age BETWEEN 0 AND ${GREATEST_AGE}`,
    reason: `The age is not between 0 and ${GREATEST_AGE}.`,
  },
  {
    rule: 'income_out_of_range',
    condition: `income IS NULL OR income BETWEEN 0 AND ${GREATEST_INCOME}`,
    reason: `The income is not between 0 and ${GREATEST_INCOME}.`,
  },
  {
    rule: 'category_unknown',
    condition: `product_category IN (${quoted(CATEGORIES)}) OR lower(trim(product_category)) IN (${quoted(CATEGORIES).toLowerCase()})`,
    reason: `The product category is missing, or none of ${CATEGORIES.join(', ')}.`,
  },
  {
    rule: 'quantity_out_of_range',
    condition: `quantity BETWEEN 1 AND ${MOST_PIECES}`,
    reason: `The quantity is not between 1 and ${MOST_PIECES}.`,
  },
  {
    rule: 'unit_price_out_of_range',
    condition: `unit_price > 0 AND unit_price <= ${HIGHEST_PRICE}`,
    reason: `The price of a piece is not above 0, or above ${HIGHEST_PRICE}.`,
  },
  {
    rule: 'amount_does_not_fit',
    condition: `purchase_amount BETWEEN unit_price * quantity * ${1 - LARGEST_DISCOUNT} - ${ROUNDING} AND unit_price * quantity + ${ROUNDING}`,
    reason: `The amount is not price times quantity, less a discount of at most ${LARGEST_DISCOUNT * 100} %.`,
  },
];

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}
