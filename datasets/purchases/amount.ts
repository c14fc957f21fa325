import type { Day } from './clock.ts';

/** Who buys what and when: all that the expected amount depends on. */
export interface Occasion {
  readonly age: number;
  /** A year's income. */
  readonly income: number;
  /** A place in EDUCATIONS. */
  readonly education: number;
  /** A place in CATEGORIES. */
  readonly category: number;
  readonly day: Day;
  /** 0 … 23 */
  readonly hour: number;
}

/** How one category's amounts answer to buyer and time. A factor of 1 is no effect. */
interface Demand {
  /** What a buyer of median income spends. */
  readonly base: number;
  /** The exponent of income: 0 is indifferent, 1 proportional. */
  readonly incomeElasticity: number;
  /** The age at which people spend most, and how much more than those far from it. */
  readonly ageOfPeak: number;
  readonly ageSpread: number;
  readonly ageLift: number;
  /** What each further level of education adds. */
  readonly educationLift: number;
  /** The month at which the season peaks, and its amplitude. */
  readonly monthOfPeak: number;
  readonly seasonLift: number;
  readonly weekendLift: number;
  readonly eveningLift: number;
}

/** In the order of CATEGORIES. */
const DEMANDS: readonly Demand[] = [
  {
    base: 210,
    incomeElasticity: 0.75,
    ageOfPeak: 29,
    ageSpread: 11,
    ageLift: 0.6,
    educationLift: 0.07,
    monthOfPeak: 12,
    seasonLift: 0.3,
    weekendLift: 0,
    eveningLift: 0.12,
  },
  {
    base: 110,
    incomeElasticity: 0.55,
    ageOfPeak: 24,
    ageSpread: 12,
    ageLift: 0.5,
    educationLift: 0,
    monthOfPeak: 11,
    seasonLift: 0.25,
    weekendLift: 0.2,
    eveningLift: 0,
  },
  {
    base: 62,
    incomeElasticity: 0.3,
    ageOfPeak: 43,
    ageSpread: 12,
    ageLift: 0.5,
    educationLift: 0,
    monthOfPeak: 12,
    seasonLift: 0.12,
    weekendLift: 0.35,
    eveningLift: 0.25,
  },
  {
    base: 48,
    incomeElasticity: 0.2,
    ageOfPeak: 66,
    ageSpread: 16,
    ageLift: 0.6,
    educationLift: 0.22,
    monthOfPeak: 1,
    seasonLift: 0.25,
    weekendLift: 0,
    eveningLift: 0.1,
  },
  {
    base: 165,
    incomeElasticity: 0.85,
    ageOfPeak: 38,
    ageSpread: 9,
    ageLift: 0.7,
    educationLift: 0.03,
    monthOfPeak: 4,
    seasonLift: 0.25,
    weekendLift: 0.25,
    eveningLift: 0,
  },
  {
    base: 120,
    incomeElasticity: 0.5,
    ageOfPeak: 31,
    ageSpread: 10,
    ageLift: 0.8,
    educationLift: 0.04,
    monthOfPeak: 7,
    seasonLift: 0.4,
    weekendLift: 0.1,
    eveningLift: 0,
  },
];

const MEDIAN_INCOME = 52_000;

/**
 * The standard deviation of a purchase's amount around what is expected of its occasion. With it a model that knew
 * {@link expectedAmount} would reach an R² of about 0.9.
 */
export const AMOUNT_NOISE = 42;

/** The least amount of a purchase. */
export const LEAST_AMOUNT = 2;

/**
 * What is spent on an occasion, on average. Each category has its own way with income, age, education, season, weekend and
 * evening, so that their effects multiply: trees can learn it, a line cannot.
 *
 * @throws RangeError where the category is not one of CATEGORIES
 */
export function expectedAmount(occasion: Occasion): number {
  const demand = DEMANDS[occasion.category];
  if (demand === undefined) throw new RangeError(`category ${occasion.category} is none of ${DEMANDS.length}`);
  const fromPeak = (occasion.age - demand.ageOfPeak) / demand.ageSpread;
  const season = Math.cos(((occasion.day.month - demand.monthOfPeak) / 12) * 2 * Math.PI);
  return (
    demand.base *
    (occasion.income / MEDIAN_INCOME) ** demand.incomeElasticity *
    (1 + demand.ageLift * Math.exp(-0.5 * fromPeak * fromPeak)) *
    (1 + demand.educationLift * occasion.education) *
    (1 + demand.seasonLift * season) *
    (occasion.day.weekday >= 6 ? 1 + demand.weekendLift : 1) *
    (occasion.hour >= 18 ? 1 + demand.eveningLift : 1)
  );
}
