import type { DuckDBConnection } from '@duckdb/node-api';
import { parseDate, parseInstant } from '../delta/expr/instants.ts';
import type { Literal } from '../delta/expr/predicate.ts';
import { type DataType, decimalOf } from '../delta/schema/types.ts';
import type { Constant } from './constant.ts';

const INTEGERS: Readonly<Record<string, string>> = {
  byte: 'TINYINT',
  short: 'SMALLINT',
  integer: 'INTEGER',
  long: 'BIGINT',
};

const WHOLE = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'];

/** How constants of some types are compared with a column: as `type`, whose text `read` turns into a literal. */
interface Comparing {
  /** DuckDB's types of constants for which this holds. */
  readonly from: readonly string[];
  /** The SQL that gives a constant as text, a number, a boolean, or NULL where that cannot be. */
  readonly sql: (constant: string) => string;
  readonly read: (value: unknown) => Literal | undefined;
}

const asText = (type: string) => (constant: string) => `CAST(TRY_CAST(${constant} AS ${type}) AS VARCHAR)`;
const plain = (constant: string) => `CAST(${constant} AS VARCHAR)`;
const asDouble = (constant: string) => `TRY_CAST(${constant} AS DOUBLE)`;
const asUtc = (constant: string) =>
  `CAST((TRY_CAST(${constant} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE 'UTC') AS VARCHAR)`;

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
const whole = (value: unknown) => (typeof value === 'string' ? BigInt(value) : undefined);
const truth = (value: unknown) => (typeof value === 'boolean' ? value : undefined);
const date = (value: unknown) => (typeof value === 'string' && parseDate(value) !== undefined ? value : undefined);
const instant = (zone: '' | 'Z') => (value: unknown) => {
  const iso = typeof value === 'string' ? `${value.replace(' ', 'T')}${zone}` : '';
  return parseInstant(iso) === undefined ? undefined : iso;
};

/** DuckDB compares numbers of these types exactly; a double among them makes all of them doubles. */
const DOUBLES: Comparing = { from: ['DOUBLE', 'DECIMAL', ...WHOLE], sql: asDouble, read: number };

const BY_TYPE: Readonly<Record<string, readonly Comparing[]>> = {
  string: [
    { from: ['literal'], sql: plain, read: text },
    { from: ['VARCHAR'], sql: plain, read: text },
  ],
  boolean: [
    { from: ['literal'], sql: (constant) => `TRY_CAST(${constant} AS BOOLEAN)`, read: truth },
    { from: ['BOOLEAN'], sql: (constant) => constant, read: truth },
  ],
  float: [
    { from: ['literal'], sql: asDouble, read: number },
    { from: ['FLOAT', ...DOUBLES.from], sql: asDouble, read: number },
  ],
  double: [
    { from: ['literal'], sql: asDouble, read: number },
    { from: ['FLOAT', ...DOUBLES.from], sql: asDouble, read: number },
  ],
  date: [
    { from: ['literal'], sql: asText('DATE'), read: date },
    { from: ['DATE'], sql: asText('DATE'), read: date },
    { from: ['DATE', 'TIMESTAMP'], sql: asText('TIMESTAMP'), read: instant('') },
  ],
  timestamp: [
    { from: ['literal'], sql: asUtc, read: instant('Z') },
    { from: ['DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'], sql: asUtc, read: instant('Z') },
  ],
  timestamp_ntz: [
    { from: ['literal'], sql: asText('TIMESTAMP'), read: instant('') },
    { from: ['DATE', 'TIMESTAMP'], sql: asText('TIMESTAMP'), read: instant('') },
  ],
};

/** The ways in which constants may be compared with a column of this type; the first that fits all of them holds. */
function comparings(type: DataType): readonly Comparing[] {
  if (typeof type !== 'string') return [];
  const integer = INTEGERS[type];
  if (integer !== undefined) {
    return [
      { from: ['literal'], sql: asText(integer), read: whole },
      { from: WHOLE, sql: plain, read: whole },
      { from: [...WHOLE, 'DECIMAL'], sql: plain, read: text },
      DOUBLES,
    ];
  }
  const decimal = decimalOf(type);
  if (decimal !== undefined) {
    return [
      { from: ['literal'], sql: asText(`DECIMAL(${decimal.precision},${decimal.scale})`), read: text },
      { from: [...WHOLE, 'DECIMAL'], sql: plain, read: text },
      DOUBLES,
    ];
  }
  return BY_TYPE[type] ?? [];
}

/** DuckDB's name of a column's type, where a cast to that type changes nothing. */
export function duckdbType(type: DataType): string | undefined {
  if (typeof type !== 'string') return undefined;
  const others: Readonly<Record<string, string>> = {
    string: 'VARCHAR',
    boolean: 'BOOLEAN',
    float: 'FLOAT',
    double: 'DOUBLE',
    date: 'DATE',
    timestamp: 'TIMESTAMP WITH TIME ZONE',
    timestamp_ntz: 'TIMESTAMP',
  };
  return INTEGERS[type] ?? others[type];
}

/**
 * The constants that one column is compared with at once (a comparison has one, BETWEEN two, IN a list), as values of
 * the column's type; DuckDB brings a column and all its constants to one type, so that they are understood together or
 * not at all. DuckDB itself computes and casts them: a time without a zone is one of the connection's TimeZone.
 *
 * @returns undefined where the comparison is not understood
 * @throws what DuckDB throws for a constant that cannot be computed (`DATE 'tomorrow'`)
 */
export async function literalsOf(
  connection: DuckDBConnection,
  type: DataType,
  constants: readonly Constant[],
): Promise<Literal[] | undefined> {
  const types = await typesOf(connection, constants);
  const given = constants.filter((_, at) => types[at] !== 'NULL');
  const named = types.filter((name) => name !== 'NULL');
  const comparing = comparings(type).find(({ from }) => named.every((name) => from.includes(name)));
  if (comparing === undefined) return undefined;
  const values = (await valuesOf(connection, given, comparing)).values();
  const literals = types.map((name) => (name === 'NULL' ? null : values.next().value));
  const known = literals.filter((literal) => literal !== undefined);
  return known.length === literals.length ? known : undefined;
}

/** DuckDB's names of the constants' types, without their width. */
async function typesOf(connection: DuckDBConnection, constants: readonly Constant[]): Promise<string[]> {
  const computed = constants.filter(({ type }) => type === undefined);
  const names = (
    await selectRow(
      connection,
      computed.map(({ sql }) => `typeof(${sql})`),
    )
  ).values();
  return constants.map(({ type }) => type ?? String(names.next().value).replace(/\(.*$/, ''));
}

/** The constants' values; those whose text says them need no query. */
async function valuesOf(
  connection: DuckDBConnection,
  constants: readonly Constant[],
  { sql, read }: Comparing,
): Promise<(Literal | undefined)[]> {
  const isPlain = (constant: Constant) => sql === plain && constant.text !== undefined;
  const asked = constants.filter((constant) => !isPlain(constant));
  const answers = (
    await selectRow(
      connection,
      asked.map((constant) => sql(constant.sql)),
    )
  ).values();
  return constants.map((constant) => read(isPlain(constant) ? constant.text : answers.next().value));
}

async function selectRow(connection: DuckDBConnection, expressions: readonly string[]): Promise<readonly unknown[]> {
  if (expressions.length === 0) return [];
  const reader = await connection.runAndReadAll(`SELECT ${expressions.join(', ')}`);
  return reader.getRows()[0] ?? [];
}
