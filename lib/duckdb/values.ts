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

const DAY = 86_400_000_000n;
/** The greatest distance from 1970 that JavaScript's Date can hold, in days. */
const DATE_LIMIT = 100_000_000;

function isoOf(micros: bigint, zone: string): string | undefined {
  let days = micros / DAY;
  if (days * DAY > micros) days -= 1n;
  const day = dayOf(Number(days));
  if (day === undefined) return undefined;
  const ofDay = Number(micros - days * DAY);
  const seconds = Math.floor(ofDay / 1e6);
  const [hh, mm, ss] = [two(Math.floor(seconds / 3600)), two(Math.floor(seconds / 60) % 60), two(seconds % 60)];
  return `${day}T${hh}:${mm}:${ss}.${String(ofDay % 1e6).padStart(6, '0')}${zone}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

/** The day that was asked for last, and its text: neighbouring rows often share it. */
let lastDay = { days: 0, text: '1970-01-01' };

function dayOf(days: number): string | undefined {
  if (days !== lastDay.days) {
    if (Math.abs(days) > DATE_LIMIT) return undefined;
    lastDay = { days, text: new Date(days * 86_400_000).toISOString().slice(0, -'T00:00:00.000Z'.length) };
  }
  return lastDay.text;
}

/** Columns of one batch as row objects, their values as {@link toJs} makes them. */
export function rowsOf(
  names: readonly string[],
  columns: readonly (readonly DuckDBValue[])[],
): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = Array.from({ length: columns[0]?.length ?? 0 }, () => ({}));
  for (const [at, name] of names.entries()) {
    const values = columns[at] ?? [];
    for (const [number, row] of rows.entries()) {
      const value = toJs(values[number] ?? null);
      // Assigned, this one name would change the object's prototype.
      if (name === '__proto__')
        Object.defineProperty(row, name, { value, enumerable: true, writable: true, configurable: true });
      else row[name] = value;
    }
  }
  return rows;
}
