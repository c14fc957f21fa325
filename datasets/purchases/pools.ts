import { faker } from '@faker-js/faker/locale/en';

/** The product categories as silver spells them. */
export const CATEGORIES = ['Electronics', 'Clothing', 'Food', 'Books', 'Home', 'Sports'] as const;

/** The levels of education as silver spells them, ascending. */
export const EDUCATIONS = ['High School', 'Bachelor', 'Master', 'PhD'] as const;

/** The ways to pay as silver spells them. */
export const PAYMENT_METHODS = ['Credit Card', 'Debit Card', 'PayPal', 'Bank Transfer', 'Gift Card'] as const;

/** How many products a category has. */
export const PRODUCTS_PER_CATEGORY = 32;

/** Ways in which people misspell a word: its letters' case, or spaces around and inside it. */
const SPELLINGS: readonly ((word: string) => string)[] = [
  (word) => word,
  (word) => word.toLowerCase(),
  (word) => word.toUpperCase(),
  (word) => ` ${word}`,
  (word) => `${word}  `,
  (word) => ` ${word.toLowerCase().replace(' ', '  ')} `,
];

/** How many spellings a word has, the right one (number 0) included. */
export const SPELLING_COUNT: number = SPELLINGS.length;

/**
 * Every spelling of every word: spelling `s` of word `w` stands at `s * words.length + w`, so that the first
 * `words.length` entries are the words themselves.
 */
export function spellings(words: readonly string[]): string[] {
  return SPELLINGS.flatMap((spell) => words.map(spell));
}

/** Names that are slow to make, drawn once with Faker and then picked from: the same in every run. */
export interface Pools {
  readonly cities: readonly string[];
  /** Product `p` of category `c` stands at `c * PRODUCTS_PER_CATEGORY + p`. */
  readonly products: readonly string[];
}

const POOL_SEED = 20_240_101;
const CITY_COUNT = 48;

/** The pools. Reseeds the shared Faker instance. */
export function drawPools(): Pools {
  faker.seed(POOL_SEED);
  const names: Record<(typeof CATEGORIES)[number], () => string> = {
    Electronics: () => `${faker.commerce.productAdjective()} ${faker.helpers.arrayElement(GADGETS)}`,
    Clothing: () => `${faker.commerce.productMaterial()} ${faker.helpers.arrayElement(GARMENTS)}`,
    Food: () => faker.food.dish(),
    Books: () => faker.book.title(),
    Home: () => `${faker.commerce.productAdjective()} ${faker.helpers.arrayElement(FURNITURE)}`,
    Sports: () => `${faker.commerce.productAdjective()} ${faker.helpers.arrayElement(GEAR)}`,
  };
  return {
    cities: faker.helpers.uniqueArray(() => faker.location.city(), CITY_COUNT),
    products: CATEGORIES.flatMap((category) => faker.helpers.uniqueArray(names[category], PRODUCTS_PER_CATEGORY)),
  };
}

const GADGETS = ['Laptop', 'Phone', 'Headphones', 'Camera', 'Monitor', 'Speaker', 'Tablet', 'Keyboard'];
const GARMENTS = ['Jacket', 'Shirt', 'Jeans', 'Dress', 'Coat', 'Sweater', 'Scarf', 'Boots'];
const FURNITURE = ['Chair', 'Table', 'Lamp', 'Sofa', 'Shelf', 'Rug', 'Mirror', 'Bed'];
const GEAR = ['Bicycle', 'Racket', 'Tent', 'Ball', 'Helmet', 'Skis', 'Dumbbell', 'Kayak'];
