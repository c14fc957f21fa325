import {
  blobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
  listValue,
  mapValue,
  structValue,
} from '@duckdb/node-api';
import { parseDate, parseInstant } from '../delta/expr/instants.ts';
import { type DataType, decimalOf, isRecord, shownPath } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';

/**
 * A JavaScript value as DuckDB takes it for a column of a Delta type. Besides the form that scans yield, a long may be a
 * whole number, a decimal a whole number or bigint, a time a Date, a map an object; undefined is NULL.
 *
 * @param path the column, for messages
 * @throws LakeletError `INVALID_VALUE`
 */
export function toDuckDB(value: unknown, type: DataType, path: readonly string[]): DuckDBValue {
  if (value === null || value === undefined) return null;
  if (typeof type === 'string') {
    const decimal = decimalOf(type);
    const made = decimal === undefined ? PRIMITIVES[type]?.(value) : decimalOfText(value, decimal);
    if (made === undefined) throw invalid(value, type, path);
    return made;
  }
  switch (type.type) {
    case 'struct': {
      if (!isRecord(value)) throw invalid(value, 'struct', path);
      const names = new Set(type.fields.map(({ name }) => name));
      const unknown = Object.keys(value).find((name) => !names.has(name));
      if (unknown !== undefined) throw invalid(value, `struct without ${printable(unknown, 50)}`, path);
      return structValue(
        Object.fromEntries(
          type.fields.map((field) => [
            field.name,
            toDuckDB(Object.hasOwn(value, field.name) ? value[field.name] : null, field.type, [...path, field.name]),
          ]),
        ),
      );
    }
    case 'array':
      if (!Array.isArray(value)) throw invalid(value, 'array', path);
      return listValue(value.map((item) => toDuckDB(item, type.elementType, [...path, 'element'])));
    case 'map': {
      const entries = value instanceof Map ? [...value] : isRecord(value) ? Object.entries(value) : undefined;
      if (entries === undefined) throw invalid(value, 'map', path);
      return mapValue(
        entries.map(([key, inner]) => ({
          key: toDuckDB(key, type.keyType, [...path, 'key']),
          value: toDuckDB(inner, type.valueType, [...path, 'value']),
        })),
      );
    }
  }
}

const PRIMITIVES: Readonly<Record<string, (value: unknown) => DuckDBValue | undefined>> = {
  string: (value) => (typeof value === 'string' ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  double: number,
  float: number,
  long: (value) => whole(value, 64),
  integer: (value) => smallWhole(value, 32),
  short: (value) => smallWhole(value, 16),
  byte: (value) => smallWhole(value, 8),
  binary: (value) => (value instanceof Uint8Array ? blobValue(value) : undefined),
  date: (value) => {
    const text = value instanceof Date ? dateText(value) : value;
    const days = typeof text === 'string' ? parseDate(text) : undefined;
    return days === undefined ? undefined : new DuckDBDateValue(Number(days));
  },
  timestamp: (value) => {
    const micros = microsOf(value, true);
    return micros === undefined ? undefined : new DuckDBTimestampTZValue(micros);
  },
  timestamp_ntz: (value) => {
    const micros = microsOf(value, false);
    return micros === undefined ? undefined : new DuckDBTimestampValue(micros);
  },
};

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function whole(value: unknown, bits: number): bigint | undefined {
  const big = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(Number(value)) : undefined;
  return big !== undefined && BigInt.asIntN(bits, big) === big ? big : undefined;
}

function smallWhole(value: unknown, bits: number): number | undefined {
  const big = whole(value, bits);
  return big === undefined ? undefined : Number(big);
}

/** A time of day in a date would be lost, so it must be midnight (UTC). */
function dateText(date: Date): string | undefined {
  return date.getTime() % 86_400_000 === 0 ? date.toISOString().slice(0, -'T00:00:00.000Z'.length) : undefined;
}

/** Text of a timestamp may leave its zone out, which then is UTC; text of one without a zone must. */
function microsOf(value: unknown, zoned: boolean): bigint | undefined {
  if (value instanceof Date) return Number.isFinite(value.getTime()) ? BigInt(value.getTime()) * 1000n : undefined;
  const instant = typeof value === 'string' ? parseInstant(value) : undefined;
  if (instant === undefined || instant.digits > 6 || (!zoned && instant.zoned)) return undefined;
  return instant.micros;
}

function decimalOfText(
  value: unknown,
  { precision, scale }: { readonly precision: number; readonly scale: number },
): DuckDBDecimalValue | undefined {
  const text =
    typeof value === 'string'
      ? value.trim()
      : typeof value === 'bigint' || Number.isSafeInteger(value)
        ? String(value)
        : '';
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null || (match[2] ?? '') + (match[3] ?? '') === '') return undefined;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return undefined;
  const scaled = BigInt(`${match[2] ?? ''}${fraction.padEnd(scale, '0')}`);
  if (scaled >= 10n ** BigInt(precision)) return undefined;
  return new DuckDBDecimalValue(match[1] === '-' ? -scaled : scaled, precision, scale);
}

function invalid(value: unknown, type: string, path: readonly string[]): LakeletError {
  const shown =
    typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new LakeletError(
    'INVALID_VALUE',
    `${printable(shown, 100)} (${typeof value}) is no value for column ${shownPath(path)} of type ${type}; nothing was written`,
  );
}
