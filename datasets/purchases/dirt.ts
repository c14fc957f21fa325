import { faker } from '@faker-js/faker/locale/en';
import { type Block, UNKNOWN } from './block.ts';
import { calendar } from './clock.ts';
import { CATEGORIES, EDUCATIONS, PAYMENT_METHODS, SPELLING_COUNT } from './pools.ts';

/** The share of records that silver must quarantine, by what is wrong with them; each has one such fault. */
const FAULTS: readonly { readonly share: number; readonly apply: (block: Block, at: number) => void }[] = [
  { share: 0.005, apply: ageOutOfRange },
  { share: 0.003, apply: negativeIncome },
  { share: 0.005, apply: quantityOutOfRange },
  { share: 0.004, apply: priceNotPositive },
  { share: 0.006, apply: dateInFuture },
  { share: 0.009, apply: amountDoesNotFit },
  {
    share: 0.002,
    apply: (block, at) => {
      block.category[at] = UNKNOWN;
    },
  },
];

/** The share of records in which a value is missing that silver fills. */
const GAPS: readonly { readonly share: number; readonly apply: (block: Block, at: number) => void }[] = [
  {
    share: 0.03,
    apply: (block, at) => {
      block.age[at] = UNKNOWN;
    },
  },
  {
    share: 0.05,
    apply: (block, at) => {
      block.income[at] = Number.NaN;
    },
  },
  {
    share: 0.02,
    apply: (block, at) => {
      block.education[at] = UNKNOWN;
    },
  },
  {
    share: 0.015,
    apply: (block, at) => {
      block.city[at] = UNKNOWN;
    },
  },
  {
    share: 0.01,
    apply: (block, at) => {
      block.payment[at] = UNKNOWN;
    },
  },
];

/** The share of records with a misspelt word. */
const MISSPELT = 0.05;

/**
 * Makes some records what real data is: wrong, incomplete or misspelt. True where the record is now one that silver must
 * quarantine.
 */
export function spoil(block: Block, at: number): boolean {
  if (faker.number.float() < MISSPELT) misspell(block, at);
  // One draw decides among the gaps, another among the faults: their shares are small and add up to less than 1.
  pick(GAPS, faker.number.float())?.(block, at);
  const fault = pick(FAULTS, faker.number.float());
  fault?.(block, at);
  return fault !== undefined;
}

function pick<T>(choices: readonly { readonly share: number; readonly apply: T }[], drawn: number): T | undefined {
  let sum = 0;
  for (const choice of choices) {
    sum += choice.share;
    if (drawn < sum) return choice.apply;
  }
  return undefined;
}

function misspell(block: Block, at: number): void {
  const spelling = 1 + faker.number.int(SPELLING_COUNT - 2);
  const word = faker.number.int(3);
  if (word < 2) block.category[at] = spelt(block.category, at, spelling, CATEGORIES.length);
  else if (word === 2) block.education[at] = spelt(block.education, at, spelling, EDUCATIONS.length);
  else block.payment[at] = spelt(block.payment, at, spelling, PAYMENT_METHODS.length);
}

function spelt(column: Int32Array, at: number, spelling: number, words: number): number {
  return spelling * words + (column[at] ?? 0);
}

function ageOutOfRange(block: Block, at: number): void {
  block.age[at] = faker.datatype.boolean()
    ? -faker.number.int({ min: 1, max: 90 })
    : faker.number.int({ min: 130, max: 999 });
}

function negativeIncome(block: Block, at: number): void {
  block.income[at] = -faker.number.int({ min: 1, max: 90_000 });
}

function quantityOutOfRange(block: Block, at: number): void {
  block.quantity[at] = faker.datatype.boolean() ? -faker.number.int(5) : faker.number.int({ min: 1001, max: 99_999 });
}

function priceNotPositive(block: Block, at: number): void {
  block.unitPrice[at] = faker.datatype.boolean() ? 0 : -(block.unitPrice[at] ?? 0);
}

function dateInFuture(block: Block, at: number): void {
  const second = calendar.asOf + faker.number.int({ min: 86_400, max: 8 * 365 * 86_400 });
  block.purchasedAt[at] = second;
  block.updatedAt[at] = second;
}

function amountDoesNotFit(block: Block, at: number): void {
  const factor = faker.helpers.arrayElement([0.1, 10, 100, -1]);
  block.amount[at] = Math.round((block.amount[at] ?? 0) * factor * 100) / 100;
}
