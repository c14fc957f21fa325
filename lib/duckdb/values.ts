import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';

/**
 * A value of DuckDB as JavaScript has it: BIGINT and greater as bigint; DECIMAL as string; DATE as `YYYY-MM-DD`; TIMESTAMPTZ
 * as ISO 8601 with microseconds and `Z`, TIMESTAMP the same without `Z`; BLOB as Uint8Array; STRUCT as an object, LIST as an
 * array, MAP as a Map. Types that Delta has not (INTERVAL, UUID, …) become their text.
 */
export function toJs(value: DuckDBValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof DuckDBTimestampTZValue) return isoOf(value.micros, 'Z') ?? value.toString();
  if (value instanceof DuckDBTimestampValue) return isoOf(value.micros, '') ?? value.toString();
  if (value instanceof DuckDBDateValue) return dayOf(value.days) ?? value.toString();
  if (value instanceof DuckDBBlobValue) return Uint8Array.from(value.bytes);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(toJs);
  if (value instanceof DuckDBStructValue) return objectOf(Object.entries(value.entries));
  if (value instanceof DuckDBMapValue) {
    return new Map(value.entries.map((entry) => [toJs(entry.key), toJs(entry.value)]));
  }
  return value.toString();
}

/** Own properties only, also where a field is called `__proto__`. */
function objectOf(entries: readonly (readonly [string, DuckDBValue])[]): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, value]) => [name, toJs(value)]));
}

/** The greatest distance from 1970 that JavaScript's Date can hold, in milliseconds. */
const DATE_LIMIT = 8_640_000_000_000_000n;

function isoOf(micros: bigint, zone: string): string | undefined {
  let milliseconds = micros / 1000n;
  let rest = micros % 1000n;
  if (rest < 0n) {
    milliseconds -= 1n;
    rest += 1000n;
  }
  if (milliseconds > DATE_LIMIT || milliseconds < -DATE_LIMIT) return undefined;
  const iso = new Date(Number(milliseconds)).toISOString();
  return `${iso.slice(0, -1)}${String(rest).padStart(3, '0')}${zone}`;
}

function dayOf(days: number): string | undefined {
  if (Math.abs(days) > 100_000_000) return undefined;
  return new Date(days * 86_400_000).toISOString().slice(0, -'T00:00:00.000Z'.length);
}
