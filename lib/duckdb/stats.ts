import { integerOf } from '../delta/protocol/properties.ts';
import { type DataType, decimalOf, type StructType } from '../delta/schema/types.ts';

/** What COPY … RETURN_STATS tells of one column: texts by name (`min`, `max`, `null_count`, `has_nan`). */
export type ColumnStatistics = ReadonlyMap<string, string>;

/** Minimum, maximum and count of nulls by column, nested as the schema is. */
interface Bounds {
  readonly minValues: Record<string, unknown>;
  readonly maxValues: Record<string, unknown>;
  readonly nullCount: Record<string, unknown>;
}

/**
 * A file's statistics as Delta writes them (PROTOCOL.md, "Per-file Statistics"), from what DuckDB returned as it wrote the
 * file. Of the columns, the first `delta.dataSkippingNumIndexedCols` leaves (32; -1: all) have some, or those that
 * `delta.dataSkippingStatsColumns` names.
 *
 * @param columns by DuckDB's quoted path, for example `"a"."b"`
 * @returns JSON text; whole numbers and decimals stand in it with all their digits
 */
export function statsJson(
  schema: StructType,
  partitionColumns: readonly string[],
  properties: Readonly<Record<string, string>>,
  rows: number,
  columns: ReadonlyMap<string, ColumnStatistics>,
): string {
  const bounds: Bounds = { minValues: {}, maxValues: {}, nullCount: {} };
  const dataSchema = { ...schema, fields: schema.fields.filter(({ name }) => !partitionColumns.includes(name)) };
  for (const { path, type } of indexed(dataSchema, properties)) {
    const column = columns.get(path.map((part) => `"${part.replaceAll('"', '""')}"`).join('.'));
    if (column !== undefined) addBounds(bounds, path, type, column, rows);
  }
  return JSON.stringify({ numRecords: rows, ...bounds });
}

interface Leaf {
  readonly path: readonly string[];
  readonly type: DataType;
}

function indexed(schema: StructType, properties: Readonly<Record<string, string>>): Leaf[] {
  const leaves = [...leavesOf(schema, [])];
  const named = properties['delta.dataSkippingStatsColumns'];
  if (named !== undefined) {
    const wanted = named.split(',').map((name) => name.trim().replaceAll('`', ''));
    return leaves.filter(({ path }) => wanted.some((name) => `${path.join('.')}.`.startsWith(`${name}.`)));
  }
  const count = integerOf(properties, 'delta.dataSkippingNumIndexedCols', 32, -1);
  return count === -1 ? leaves : leaves.slice(0, count);
}

function* leavesOf(struct: StructType, above: readonly string[]): Generator<Leaf> {
  for (const { name, type } of struct.fields) {
    const path = [...above, name];
    if (typeof type !== 'string' && type.type === 'struct') yield* leavesOf(type, path);
    else yield { path, type };
  }
}

function addBounds(
  bounds: Bounds,
  path: readonly string[],
  type: DataType,
  column: ColumnStatistics,
  rows: number,
): void {
  const nulls = Number(column.get('null_count'));
  if (Number.isSafeInteger(nulls) && nulls <= rows) put(bounds.nullCount, path, nulls);
  if (column.get('has_nan') === 'true') return;
  const min = boundOf(column.get('min'), type);
  const max = boundOf(column.get('max'), type);
  if (min === undefined || max === undefined) return;
  put(bounds.minValues, path, min);
  put(bounds.maxValues, path, max);
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let place = target;
  for (const part of path.slice(0, -1)) {
    const inner = Object.hasOwn(place, part) ? place[part] : define(place, part, {});
    place = inner as Record<string, unknown>;
  }
  define(place, path.at(-1) ?? '', value);
}

/** An own property, also for a column that is called `__proto__`. */
function define(target: Record<string, unknown>, name: string, value: unknown): unknown {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  return value;
}

/** DuckDB's text of a bound in Delta's JSON form; undefined where it has none (binary, infinities, times before year 0). */
function boundOf(text: string | undefined, type: DataType): unknown {
  if (text === undefined || typeof type !== 'string') return undefined;
  if (decimalOf(type) !== undefined) {
    // DuckDB leaves the zero before the point out where the type has no digit there.
    const number = text.replace(/^(-?)\./, '$10.');
    return /^-?\d+(\.\d+)?$/.test(number) ? rawNumber(number) : undefined;
  }
  return BOUNDS[type]?.(text);
}

const BOUNDS: Readonly<Record<string, (text: string) => unknown>> = {
  string: (text) => text,
  long: wholeNumber,
  integer: wholeNumber,
  short: wholeNumber,
  byte: wholeNumber,
  double: (text) => finite(Number(text)),
  // The text is the shortest that means the same float; as a double it would be another number.
  float: (text) => finite(Math.fround(Number(text))),
  boolean: (text) => (text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : undefined),
  date: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined),
  timestamp: (text) => timestamp(text, /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00(?::00)?$/, 'Z'),
  timestamp_ntz: (text) => timestamp(text, /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/, ''),
};

function wholeNumber(text: string): unknown {
  return /^-?\d+$/.test(text) ? rawNumber(text) : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function timestamp(text: string, form: RegExp, zone: string): string | undefined {
  const match = form.exec(text);
  return match === null ? undefined : `${match[1]}T${match[2]}${zone}`;
}

/** JSON.rawJSON (Node.js 22 and newer), which keeps every digit of a number. */
function rawNumber(text: string): unknown {
  return rawJson(text);
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => unknown };
