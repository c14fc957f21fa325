import { LakeletError, printable } from '../../errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  microsecond: 0.001,
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/**
 * A property that is a span of time, in Spark's form (`interval 1 week`, `interval 2 days 3 hours`).
 *
 * @param otherwise milliseconds where it is not set
 * @returns milliseconds
 * @throws LakeletError `PROPERTY_INVALID`
 */
export function durationOf(properties: Readonly<Record<string, string>>, name: string, otherwise: number): number {
  const text = properties[name];
  if (text === undefined) return otherwise;
  const words = text
    .trim()
    .toLowerCase()
    .replace(/^interval\s+/, '')
    .split(/\s+/);
  let total = 0;
  for (let at = 0; at < words.length; at += 2) {
    const count = Number(words[at]);
    const unit = UNITS[(words[at + 1] ?? '').replace(/s$/, '')];
    if (!Number.isFinite(count) || unit === undefined) throw invalid(name, text, 'a span such as "interval 7 days"');
    total += count * unit;
  }
  return total;
}

/**
 * A property that is a whole number.
 *
 * @throws LakeletError `PROPERTY_INVALID`
 */
export function integerOf(
  properties: Readonly<Record<string, string>>,
  name: string,
  otherwise: number,
  least: number,
): number {
  const text = properties[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw invalid(name, text, `a whole number from ${least}`);
  return value;
}

/** True where a property is set to `true`. */
export function isSet(properties: Readonly<Record<string, string>>, name: string): boolean {
  return properties[name]?.toLowerCase() === 'true';
}

function invalid(name: string, text: string, wanted: string): LakeletError {
  return new LakeletError(
    'PROPERTY_INVALID',
    `The table's property ${printable(name, 100)} is ${printable(text, 100)}: it must be ${wanted}`,
  );
}
