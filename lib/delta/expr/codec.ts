import type { StructField } from '../schema/types.ts';
import { decimalOf } from '../schema/types.ts';
import { midnight, parseDate, parseInstant } from './instants.ts';
import type { Literal } from './predicate.ts';

/** What is known of values: they lie between these two, both included; undefined is no bound. */
export interface Bounds<K> {
  readonly low: K | undefined;
  readonly high: K | undefined;
}

/** What is known of one value: it lies between these two, both included; they are the same where it is exact. */
export interface Span<K> {
  readonly low: K;
  readonly high: K;
}

/** How values of one type are ordered, and read from where they stand, as keys K. */
export interface Codec<K> {
  /** Negative, zero or positive. */
  compare(a: K, b: K): number;
  /** A value of a predicate; undefined where it is not of this type. */
  literal(value: NonNullable<Literal>): Span<K> | undefined;
  /** A file's `minValues` and `maxValues` entries, widened by whatever the writer may have cut. */
  statistics(min: unknown, max: unknown): Bounds<K>;
  /** A partition value that is neither null nor empty; undefined where it is not of this type. */
  partition(text: string): Span<K> | undefined;
  /** A value that may stand in a file outside of its statistics. */
  readonly outsider?: K;
}

/**
 * Most digits after the point that a literal may have: beyond it an exact comparison would need more than SQL's 38
 * digits, and engines change to floating point.
 */
const MAX_SCALE = 38;

const INTEGERS = new Set(['byte', 'short', 'integer', 'long']);

/** A point: a value that is known. */
function point<K>(key: K): Span<K> {
  return { low: key, high: key };
}

function pointOf<K>(key: K | undefined): Span<K> | undefined {
  return key === undefined ? undefined : point(key);
}

/** UTF-8 bytes, the order of Delta's strings; JavaScript's own order (UTF-16) differs beyond U+FFFF. */
export const STRINGS: Codec<Buffer> = {
  compare: (a, b) => Buffer.compare(a, b),
  literal: (value) =>
    typeof value === 'string' && wellFormed(value) === value ? point(Buffer.from(value)) : undefined,
  statistics: (min, max) => ({
    low: typeof min === 'string' ? Buffer.from(wellFormed(min)) : undefined,
    high: typeof max === 'string' ? longest(max) : undefined,
  }),
  partition: (text) => (wellFormed(text) === text ? point(Buffer.from(text)) : undefined),
};

/** A greatest string, of which a writer may have cut the end and put a replacement or the last character instead. */
function longest(max: string): Buffer {
  const kept = wellFormed(max).replace(/[\ufffd\u{10ffff}]+$/u, '');
  return kept === max ? Buffer.from(max) : afterAll(Buffer.from(kept));
}

/** A key that comes after every string that begins with `prefix`: no UTF-8 holds the byte ff. */
export function afterAll(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.of(0xff)]);
}

/** What comes before the first half of a surrogate pair that stands alone, as a writer leaves it that cuts UTF-16. */
function wellFormed(text: string): string {
  const at = text.search(/\p{Cs}/u);
  return at === -1 ? text : text.slice(0, at);
}

const BOOLEANS: Codec<number> = {
  compare: (a, b) => a - b,
  literal: (value) => (typeof value === 'boolean' ? point(Number(value)) : undefined),
  statistics: (min, max) => ({
    low: typeof min === 'boolean' ? Number(min) : undefined,
    high: typeof max === 'boolean' ? Number(max) : undefined,
  }),
  partition: (text) => pointOf({ true: 1, false: 0 }[text.toLowerCase()]),
};

/** Microseconds, so that a date may be compared with a time of day as well. */
const DATES: Codec<bigint> = {
  compare: ordered,
  literal: (value) => (typeof value === 'string' ? pointOf(localMicros(value)) : undefined),
  statistics: (min, max) => ({ low: dayMicros(min), high: dayMicros(max) }),
  partition: (text) => pointOf(dayMicros(text)),
};

function dayMicros(text: unknown): bigint | undefined {
  const day = typeof text === 'string' ? parseDate(text) : undefined;
  return day === undefined ? undefined : midnight(day);
}

function localMicros(text: string): bigint | undefined {
  const instant = parseInstant(text);
  return instant === undefined || instant.zoned ? undefined : instant.micros;
}

/** Microseconds in UTC. Statistics must say their zone; a partition value without one is UTC. */
const TIMESTAMPS: Codec<bigint> = {
  compare: ordered,
  literal: (value) => {
    const instant = typeof value === 'string' ? parseInstant(value) : undefined;
    return instant?.zoned === true ? point(instant.micros) : undefined;
  },
  statistics: (min, max) => cutToMillis(min, max, true),
  partition: (text) => pointOf(parseInstant(text)?.micros),
};

/** Microseconds of a wall clock. */
const LOCAL_TIMESTAMPS: Codec<bigint> = {
  compare: ordered,
  literal: (value) => (typeof value === 'string' ? pointOf(localMicros(value)) : undefined),
  statistics: (min, max) => cutToMillis(min, max, false),
  partition: (text) => pointOf(localMicros(text)),
};

/** Statistics of timestamps are cut to milliseconds by most writers, some of them towards 1970. */
function cutToMillis(min: unknown, max: unknown, zoned: boolean): Bounds<bigint> {
  const [low, high] = [min, max].map((text) => {
    const instant = typeof text === 'string' ? parseInstant(text) : undefined;
    return instant?.zoned === zoned ? instant : undefined;
  });
  const cut = (digits: number) => (digits <= 3 ? 1000n : 0n);
  return {
    low: low && low.micros - (low.micros <= 0n ? cut(low.digits) : 0n),
    high: high && high.micros + cut(high.digits),
  };
}

/** Floating point, with NaN above all else and -0 equal to 0; a file may hold NaN whatever its statistics say. */
function floats(margin: (value: number, sign: 1 | -1) => number): Codec<number> {
  const around = (value: number): Span<number> => ({ low: margin(value, -1), high: margin(value, 1) });
  return {
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b))),
    literal: (value) =>
      typeof value === 'number'
        ? point(value)
        : typeof value === 'bigint' && Number.isSafeInteger(Number(value))
          ? point(Number(value))
          : undefined,
    statistics: (min, max) => {
      const [low, high] = [floatOf(min), floatOf(max)];
      return {
        low: low === undefined || Number.isNaN(low) ? undefined : margin(low, -1),
        high: high === undefined || Number.isNaN(high) ? undefined : margin(high, 1),
      };
    },
    partition: (text) => {
      const value = floatOf(text);
      return value === undefined ? undefined : around(value);
    },
    outsider: Number.NaN,
  };
}

/** A number, or the text of one as JSON cannot hold it. */
function floatOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return undefined;
  if (/^(NaN|[+-]?Infinity)$/.test(value) || /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
  return undefined;
}

const DOUBLES = floats((value) => value);

/** A float stands in text by its shortest digits, and is compared as a float by some engines, as a double by others. */
const FLOATS = floats((value, sign) =>
  Number.isFinite(value) ? value + sign * (Math.abs(value) * 2 ** -22 + 2 ** -149) : value,
);

/** Integers and decimals as integers of 10^-scale. */
function exact(precision: number, columnScale: number, scale: number): Codec<bigint> {
  const unit = 10n ** BigInt(scale);
  return {
    compare: ordered,
    literal: (value) => {
      if (typeof value === 'bigint') return point(value * unit);
      if (typeof value === 'number') return spanOf(value, columnScale === 0 ? 0 : 2 ** -48, scale);
      return typeof value === 'string' ? pointOf(decimalKey(value, scale)) : undefined;
    },
    statistics: (min, max) => ({
      low: exactStatistic(min, precision, columnScale, scale)?.low,
      high: exactStatistic(max, precision, columnScale, scale)?.high,
    }),
    partition: (text) => pointOf(decimalKey(text, scale)),
  };
}

function exactStatistic(
  value: unknown,
  precision: number,
  columnScale: number,
  scale: number,
): Span<bigint> | undefined {
  if (typeof value === 'bigint') return point(value * 10n ** BigInt(scale));
  if (typeof value === 'string') return pointOf(decimalKey(value, scale));
  if (typeof value !== 'number') return undefined;
  // A double keeps 15 digits: a decimal of no more stands in JSON as it was.
  if (columnScale > 0 && precision <= 15) return pointOf(decimalKey(value.toFixed(columnScale), scale));
  return spanOf(value, columnScale === 0 ? 0 : 2 ** -50, scale);
}

/** Where the decimal may be that a double stands for; `margin` is relative. Integers are exact up to 2^53. */
function spanOf(value: number, margin: number, scale: number): Span<bigint> | undefined {
  if (!Number.isFinite(value)) return undefined;
  const unit = 10n ** BigInt(scale);
  if (margin === 0 && Number.isSafeInteger(value)) return point(BigInt(value) * unit);
  const whole = Math.abs(value) * (1 + margin) > Number.MAX_SAFE_INTEGER;
  if (whole) {
    const slack = BigInt(Math.ceil(Math.abs(value) * 2 ** -48));
    return { low: (BigInt(Math.floor(value)) - slack) * unit, high: (BigInt(Math.ceil(value)) + slack) * unit };
  }
  // Between two integers, with which alone it is compared; see scaleOf.
  if (margin === 0) return { low: BigInt(Math.floor(value)) * unit + 1n, high: BigInt(Math.ceil(value)) * unit - 1n };
  const slack = Math.abs(value) * margin;
  return { low: scaled(value - slack, scale, -1n), high: scaled(value + slack, scale, 1n) };
}

/** A double of less than 2^53 in units of 10^-scale, one unit further out than its digits say. */
function scaled(value: number, scale: number, outward: bigint): bigint {
  const digits = Math.min(scale, 20);
  const [whole = '0', fraction = ''] = value.toFixed(digits).replace('-', '').split('.');
  const key = BigInt(whole + fraction) * (value < 0 ? -1n : 1n) + outward;
  return key * 10n ** BigInt(scale - digits);
}

/** Decimal text in units of 10^-scale; undefined where it is no such text or has more digits after the point. */
function decimalKey(text: string, scale: number): bigint | undefined {
  const parts = decimalParts(text);
  if (parts === undefined || parts.fraction.length > scale) return undefined;
  const key = BigInt(parts.whole + parts.fraction.padEnd(scale, '0'));
  return parts.negative ? -key : key;
}

function decimalParts(text: string): { negative: boolean; whole: string; fraction: string } | undefined {
  const match = /^\s*([+-])?(\d+)(?:\.(\d*))?\s*$/.exec(text);
  if (match === null) return undefined;
  return { negative: match[1] === '-', whole: match[2] ?? '', fraction: (match[3] ?? '').replace(/0+$/, '') };
}

function ordered(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Hands `use` the codec by which a column is compared with these values of a predicate; undefined for a type that has
 * no order here (nested types, `binary`), for which every file is kept.
 */
export function withCodec<R>(
  field: StructField,
  values: readonly Literal[],
  use: <K>(codec: Codec<K>) => R,
): R | undefined {
  const { type } = field;
  if (typeof type !== 'string') return undefined;
  const decimal = INTEGERS.has(type) ? { precision: 19, scale: 0 } : decimalOf(type);
  if (decimal !== undefined) {
    const scale = Math.max(decimal.scale, ...values.map(scaleOf));
    return scale > MAX_SCALE ? undefined : use(exact(decimal.precision, decimal.scale, scale));
  }
  switch (type) {
    case 'string':
      return use(STRINGS);
    case 'boolean':
      return use(BOOLEANS);
    case 'date':
      return use(DATES);
    case 'timestamp':
      return use(TIMESTAMPS);
    case 'timestamp_ntz':
      return use(LOCAL_TIMESTAMPS);
    case 'float':
      return use(FLOATS);
    case 'double':
      // Files from before the column was widened have the statistics of a float.
      return use('delta.typeChanges' in field.metadata ? FLOATS : DOUBLES);
    default:
      return undefined;
  }
}

/** How many digits after the point tell a value of a predicate from its neighbours in the column. */
function scaleOf(value: Literal): number {
  if (typeof value === 'number') return Number.isInteger(value) ? 0 : 1;
  return typeof value === 'string' ? (decimalParts(value)?.fraction.length ?? 0) : 0;
}
