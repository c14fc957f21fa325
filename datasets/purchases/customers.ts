import { faker } from '@faker-js/faker/locale/en';
import { cents, cumulative, normal, place } from './chance.ts';
import { EDUCATIONS } from './pools.ts';

/** Customers that a block's purchases are spread over; each buys in one block only. */
export const CUSTOMERS_PER_BLOCK = 410;

const EDUCATION_SHARES = cumulative([0.38, 0.36, 0.2, 0.06], EDUCATIONS.length);

/** A block's customers, a column an array. */
export interface Customers {
  /** 18 … 79 */
  readonly age: Int32Array;
  /** A year's income, in cents of precision. */
  readonly income: Float64Array;
  /** A place in EDUCATIONS. */
  readonly education: Int32Array;
  /** A place among the cities. */
  readonly city: Int32Array;
}

/** Draws a block's customers: income grows with education and, until 45, with age. */
export function drawCustomers(cityCount: number): Customers {
  const customers: Customers = {
    age: new Int32Array(CUSTOMERS_PER_BLOCK),
    income: new Float64Array(CUSTOMERS_PER_BLOCK),
    education: new Int32Array(CUSTOMERS_PER_BLOCK),
    city: new Int32Array(CUSTOMERS_PER_BLOCK),
  };
  for (let i = 0; i < CUSTOMERS_PER_BLOCK; i++) {
    const education = place(EDUCATION_SHARES);
    const age = faker.number.int({ min: 18, max: 79 });
    const experience = 0.8 + 0.4 * Math.min(1, (age - 18) / 27);
    customers.age[i] = age;
    customers.education[i] = education;
    customers.city[i] = faker.number.int(cityCount - 1);
    customers.income[i] = cents(Math.exp(10.6 + 0.45 * normal()) * (1 + 0.2 * education) * experience);
  }
  return customers;
}
