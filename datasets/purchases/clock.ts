/**
 * The generator's calendar, in seconds since 1970 (UTC). It is fixed, so that the same seed makes the same rows for ever;
 * nothing here may come from the machine's clock.
 */
export const calendar = {
  /** The first moment of a purchase: 2024-01-01. */
  start: Date.UTC(2024, 0, 1) / 1000,
  /** Days in which purchases fall: all of 2024 and 2025. */
  days: 731,
  /** When the data was drawn from its imaginary shop, 2026-03-01: what lies after it is a date in the future. */
  asOf: Date.UTC(2026, 2, 1) / 1000,
} as const;

/** A day of the calendar, as the amount depends on it. */
export interface Day {
  /** 1 … 12 */
  readonly month: number;
  /** 1 (Monday) … 7 */
  readonly weekday: number;
}

/** Each day of the calendar, counted from its start. */
export const calendarDays: readonly Day[] = Array.from({ length: calendar.days }, (_, day) => {
  const date = new Date((calendar.start + day * 86_400) * 1000);
  return { month: date.getUTCMonth() + 1, weekday: ((date.getUTCDay() + 6) % 7) + 1 };
});
