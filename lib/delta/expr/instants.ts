/** Microseconds of a day. */
const DAY = 86_400_000_000n;

const DATE = /^([+-]?\d{4,6})-(\d{2})-(\d{2})$/;
const INSTANT =
  /^([+-]?\d{4,6}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/;

/** A point in time as text gives it. */
export interface Instant {
  /** Microseconds since 1970-01-01 00:00, in UTC where there is a zone; digits beyond microseconds are cut. */
  readonly micros: bigint;
  /** Whether the text says its zone. */
  readonly zoned: boolean;
  /** How many digits of a second the text has. */
  readonly digits: number;
}

/** The day of `YYYY-MM-DD` in the proleptic Gregorian calendar, 1970-01-01 being 0; undefined for any other text. */
export function parseDate(text: string): bigint | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return BigInt(date.getTime() / 86_400_000);
}

/**
 * The instant of `YYYY-MM-DD`, `YYYY-MM-DD HH:MM:SS` or ISO 8601 with up to nine digits of a second and `Z` or an
 * offset; undefined for any other text.
 */
export function parseInstant(text: string): Instant | undefined {
  const match = INSTANT.exec(text);
  const day = match === null ? undefined : parseDate(match[1] ?? '');
  if (match === null || day === undefined) return undefined;
  const [hours, minutes, seconds] = [Number(match[2] ?? 0), Number(match[3] ?? 0), Number(match[4] ?? 0)];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = match[5] ?? '';
  const ofDay = BigInt((hours * 60 + minutes) * 60 + seconds) * 1_000_000n;
  const local = day * DAY + ofDay + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  const zone = match[6];
  return { micros: local - offsetMicros(zone), zoned: zone !== undefined, digits: fraction.length };
}

/** Microseconds of a day number, at its midnight. */
export function midnight(day: bigint): bigint {
  return day * DAY;
}

function offsetMicros(zone: string | undefined): bigint {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 0n;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0);
  return BigInt(zone.startsWith('-') ? -minutes : minutes) * 60_000_000n;
}
