import { faker } from '@faker-js/faker/locale/en';
import { AMOUNT_NOISE, expectedAmount, LEAST_AMOUNT } from './amount.ts';
import { type Block, emptyBlock, UNKNOWN } from './block.ts';
import { cents, cumulative, normal, place } from './chance.ts';
import { calendar, calendarDays } from './clock.ts';
import { CUSTOMERS_PER_BLOCK, type Customers, drawCustomers } from './customers.ts';
import { spoil } from './dirt.ts';
import { CATEGORIES, PAYMENT_METHODS, PRODUCTS_PER_CATEGORY } from './pools.ts';

/** The share of records that deliver an earlier record of their block again, as it was or corrected. */
const REDELIVERED = 0.02;

/** Draws the first `count` records of block number `block` (0, 1, 2, …), at most BLOCK_ROWS. Reseeds the shared Faker instance. */
export function drawBlock(seed: number, block: number, count: number, cityCount: number): Block {
  faker.seed([seed >>> 0, Math.floor(seed / 2 ** 32), block]);
  const customers = drawCustomers(cityCount);
  const drawn = emptyBlock(block, count);
  const originals: number[] = [];
  const firstCustomer = block * CUSTOMERS_PER_BLOCK;
  for (let at = 0; at < count; at++) {
    if (originals.length > 0 && faker.number.float() < REDELIVERED) {
      deliverAgain(drawn, at, faker.helpers.arrayElement(originals));
      continue;
    }
    drawPurchase(drawn, at, customers, firstCustomer);
    if (!spoil(drawn, at)) originals.push(at);
  }
  return drawn;
}

function drawPurchase(block: Block, at: number, customers: Customers, firstCustomer: number): void {
  const customer = faker.number.int(CUSTOMERS_PER_BLOCK - 1);
  const age = customers.age[customer] ?? UNKNOWN;
  const income = customers.income[customer] ?? Number.NaN;
  const education = customers.education[customer] ?? UNKNOWN;
  const category = place(CATEGORY_SHARES);
  const dayNumber = faker.number.int(calendar.days - 1);
  const day = calendarDays[dayNumber] ?? { month: 1, weekday: 1 };
  const hour = place(HOUR_SHARES);
  const second = calendar.start + dayNumber * 86_400 + hour * 3600 + faker.number.int(3599);
  const expected = expectedAmount({ age, income, education, category, day, hour });
  const aim = Math.max(LEAST_AMOUNT, expected + AMOUNT_NOISE * normal());

  block.purchase[at] = block.first + at;
  block.customer[at] = firstCustomer + customer;
  block.purchasedAt[at] = second;
  block.updatedAt[at] = second + faker.number.int(7200);
  block.age[at] = age;
  block.income[at] = income;
  block.education[at] = education;
  block.city[at] = customers.city[customer] ?? UNKNOWN;
  block.category[at] = category;
  block.product[at] = category * PRODUCTS_PER_CATEGORY + faker.number.int(PRODUCTS_PER_CATEGORY - 1);
  block.payment[at] = faker.number.int(PAYMENT_METHODS.length - 1);
  price(block, at, aim, 1 + faker.number.int((MOST_PIECES[category] ?? 1) - 1));
}

/** Sets quantity, price and amount so that `pieces` of them, less a discount, come to `aim`. */
function price(block: Block, at: number, aim: number, pieces: number): void {
  const discount = DISCOUNTS[place(DISCOUNT_SHARES)] ?? 0;
  const unitPrice = cents(aim / (pieces * (1 - discount)));
  block.quantity[at] = pieces;
  block.unitPrice[at] = unitPrice;
  block.amount[at] = cents(unitPrice * pieces * (1 - discount));
}

/** Half of the time an exact copy of record `of`, else the same purchase with a later correction. */
function deliverAgain(block: Block, at: number, of: number): void {
  for (const column of COLUMNS) block[column][at] = block[column][of] ?? UNKNOWN;
  if (faker.datatype.boolean()) return;
  block.updatedAt[at] = (block.updatedAt[of] ?? 0) + faker.number.int({ min: 60, max: 30 * 86_400 });
  if (faker.datatype.boolean()) block.payment[at] = faker.number.int(PAYMENT_METHODS.length - 1);
  else
    price(block, at, (block.amount[of] ?? LEAST_AMOUNT) * (0.9 + 0.2 * faker.number.float()), block.quantity[of] ?? 1);
}

const COLUMNS = [
  'purchase',
  'customer',
  'purchasedAt',
  'updatedAt',
  'age',
  'income',
  'education',
  'city',
  'category',
  'product',
  'payment',
  'quantity',
  'unitPrice',
  'amount',
] as const;

const CATEGORY_SHARES = cumulative([0.2, 0.19, 0.22, 0.12, 0.15, 0.12], CATEGORIES.length);
const HOUR_SHARES = cumulative(
  [1, 0.5, 0.3, 0.2, 0.3, 0.6, 1.5, 2.5, 4, 5, 6, 6.5, 7, 6.5, 6, 5.5, 5.5, 6, 7.5, 9, 9, 7, 4, 2],
  24,
);
const DISCOUNTS = [0, 0.05, 0.1, 0.15, 0.2];
const DISCOUNT_SHARES = cumulative([0.7, 0.08, 0.12, 0.06, 0.04], DISCOUNTS.length);
/** In the order of CATEGORIES. */
const MOST_PIECES = [2, 3, 8, 4, 3, 3];
