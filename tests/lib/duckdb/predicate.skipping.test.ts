// Random tables, cut in files, and random conditions: a file that holds a matching row is never dropped, whatever a
// writer of statistics may do to them. FILES_SEED and FILES_TABLES make other and longer runs.

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FileFacts, fileFilter } from '../../../lib/delta/expr/skipping.ts';
import { isRecord, type StructType } from '../../../lib/delta/schema/types.ts';
import { parsePredicate } from '../../../lib/duckdb/predicate.ts';

const SEED = Number(process.env.FILES_SEED ?? 20261);
const TABLES = Number(process.env.FILES_TABLES ?? 12);
const CONDITIONS = 60;
const FILES = 12;

/** A column: Delta's type, DuckDB's, values in SQL that a table draws from, and values that conditions compare with. */
interface Kind {
  readonly delta: string;
  readonly sql: string;
  readonly values: readonly string[];
  readonly others?: readonly string[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  i: {
    delta: 'integer',
    sql: 'INTEGER',
    values: ['-3', '0', '1', '2', '7', '16777217'],
    others: ['1.5', '2e0', "'2'", "'1.7'", '99999999999'],
  },
  l: {
    delta: 'long',
    sql: 'BIGINT',
    values: [
      '0',
      '9007199254740992',
      '9007199254740993',
      '9007199254740994',
      '-9223372036854775808',
      '9223372036854775807',
    ],
    others: ['9007199254740992e0', '9223372036854775807e0', '9007199254740992.5', '1e300', '9223372036854775808'],
  },
  f: {
    delta: 'float',
    sql: 'FLOAT',
    values: ['0.1', '-0.0', '0', '1.5', "'nan'", "'-inf'", '3e38'],
    others: ['1e-1', '0.1::FLOAT', "'inf'", '1'],
  },
  d: {
    delta: 'double',
    sql: 'DOUBLE',
    values: ['0.1', '-0.0', '0', '1e300', "'nan'", "'inf'", '-2.5'],
    others: ['1e-1', '3', "'0.1'", '0.1::FLOAT'],
  },
  dec: {
    delta: 'decimal(10,2)',
    sql: 'DECIMAL(10,2)',
    values: ['0', '1.49', '1.50', '-1.50', '99999999.99'],
    others: ['1.495', "'1.495'", '1.5e0', '1.49e0', '2'],
  },
  big: {
    delta: 'decimal(38,10)',
    sql: 'DECIMAL(38,10)',
    values: [
      '0',
      '0.0000000001',
      '1234567890123456789012345678.0123456789',
      '1234567890123456789012345678.0123456788',
      '0.1',
    ],
    others: ['1234567890123456789012345678', '1e-10', '1e-1', '0.1000000001'],
  },
  s: {
    delta: 'string',
    sql: 'VARCHAR',
    values: [
      "''",
      "'a'",
      "'ab'",
      "'abc'",
      "'b'",
      "'\u{1f600}x'",
      "'\uff5e'",
      "'é'",
      `'${'long '.repeat(12)}a'`,
      `'${'long '.repeat(12)}\u{1f600}'`,
    ],
  },
  b: { delta: 'boolean', sql: 'BOOLEAN', values: ['true', 'false'], others: ["'t'"] },
  day: {
    delta: 'date',
    sql: 'DATE',
    values: ["'2024-02-28'", "'2024-02-29'", "'1969-12-31'", "'0099-01-01'", "'9999-12-31'"],
    others: ["TIMESTAMP '2024-02-28 12:00:00'", "DATE '2024-02-27' + 1", "'10000-01-01'"],
  },
  ts: {
    delta: 'timestamp',
    sql: 'TIMESTAMPTZ',
    values: [
      "'2024-03-31 00:59:59.999999Z'",
      "'2024-03-31 01:00:00Z'",
      "'2024-03-31 01:00:00.000001Z'",
      "'1969-12-31 23:59:59.999999Z'",
      "'1969-12-31 23:59:59.9985Z'",
    ],
    others: [
      "DATE '2024-03-31'",
      "TIMESTAMP '2024-03-31 01:00:00'",
      "TIMESTAMPTZ '2024-03-31 01:00:00Z'",
      "'2024-03-31 03:00:00'",
    ],
  },
  ntz: {
    delta: 'timestamp_ntz',
    sql: 'TIMESTAMP',
    values: [
      "'2024-03-31 00:59:59.999999'",
      "'2024-03-31 01:00:00'",
      "'2024-03-31 01:00:00.000001'",
      "'1969-12-31 23:59:59.9995'",
    ],
    others: ["DATE '2024-03-31'", "TIMESTAMP '2024-03-31 01:00:00'", "TIMESTAMPTZ '2024-03-31 01:00:00Z'"],
  },
};
const NAMES = Object.keys(KINDS);

const schema: StructType = {
  type: 'struct',
  fields: Object.entries(KINDS).map(([name, { delta }]) => ({ name, type: delta, nullable: true, metadata: {} })),
};

/** Numbers from 0 to 1 by seed (mulberry32). */
function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = ReturnType<typeof randomBy>;

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[Math.floor(random() * from.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
}

/** Few values a file, so that bounds are narrow and many files are dropped. */
async function makeTable(connection: DuckDBConnection, random: Random): Promise<void> {
  const columns = Object.entries(KINDS).map(([name, { sql }]) => `"${name}" ${sql}`);
  await connection.run(`CREATE OR REPLACE TABLE t (file INTEGER, ${columns.join(', ')})`);
  for (let file = 0; file < FILES; file++) {
    const pools = Object.values(KINDS).map(({ values }) =>
      Array.from({ length: 1 + Math.floor(random() * 2) }, () => (random() < 0.15 ? 'NULL' : pick(random, values))),
    );
    const rows = Array.from({ length: 4 }, () => `(${[file, ...pools.map((pool) => pick(random, pool))].join(', ')})`);
    await connection.run(`INSERT INTO t VALUES ${rows.join(', ')}`);
  }
}

/** The SQL of a column's bound as its writer would put it into JSON. */
function bound(name: string, least: boolean): string {
  const aggregate = `${least ? 'min' : 'max'}("${name}")`;
  switch (KINDS[name]?.sql) {
    case 'FLOAT':
    case 'DOUBLE':
      return `(${least ? 'min' : 'max'}("${name}") FILTER (NOT isnan("${name}")))::VARCHAR`;
    case 'TIMESTAMPTZ':
      return `(${aggregate} AT TIME ZONE 'UTC')::VARCHAR`;
    default:
      return `${aggregate}::VARCHAR`;
  }
}

function statistic(random: Random, name: string, text: unknown, least: boolean): unknown {
  if (typeof text !== 'string') return undefined;
  switch (KINDS[name]?.sql) {
    case 'INTEGER':
    case 'DECIMAL(10,2)':
      return Number(text);
    case 'DECIMAL(38,10)':
      return random() < 0.5 ? Number(text) : text;
    case 'BIGINT':
      return random() < 0.5 ? BigInt(text) : Number(text);
    case 'FLOAT':
    case 'DOUBLE':
      return text.endsWith('inf') ? `${text.startsWith('-') ? '-' : ''}Infinity` : Number(text);
    case 'BOOLEAN':
      return random() < 0.5 ? text === 'true' : undefined;
    case 'VARCHAR': {
      const cut = [...text].slice(0, 32).join('');
      return cut === text || least ? cut : `${cut}${pick(random, ['\u{10ffff}', '\ufffd'])}`;
    }
    case 'TIMESTAMPTZ':
    case 'TIMESTAMP': {
      const zone = KINDS[name]?.sql === 'TIMESTAMP' ? '' : 'Z';
      const digits = pick(random, [3, 6]);
      const [second = '', fraction = ''] = text.replace(' ', 'T').split('.');
      return `${second}.${fraction.padEnd(6, '0').slice(0, digits)}${zone}`;
    }
    default:
      return text;
  }
}

/** The files' add actions: statistics, of which some are missing, and every value of a partition column where asked. */
async function makeFacts(connection: DuckDBConnection, random: Random): Promise<FileFacts[]> {
  const wanted = NAMES.flatMap((name) => [bound(name, true), bound(name, false), `count(*) - count("${name}")`]);
  const reader = await connection.runAndReadAll(
    `SELECT count(*), ${wanted.join(', ')} FROM t GROUP BY file ORDER BY file`,
  );
  return reader.getRows().map(([records, ...cells]) => {
    const [minValues, maxValues, nullCount]: Record<string, unknown>[] = [{}, {}, {}];
    NAMES.forEach((name, at) => {
      const [low, high, nulls] = cells.slice(at * 3);
      if (minValues && random() < 0.95) minValues[name] = statistic(random, name, low, true);
      if (maxValues && random() < 0.95) maxValues[name] = statistic(random, name, high, false);
      if (nullCount && random() < 0.95) nullCount[name] = Number(nulls);
    });
    return { partitionValues: {}, stats: { numRecords: Number(records), minValues, maxValues, nullCount } };
  });
}

function comparison(random: Random): string {
  const name = pick(random, NAMES);
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(name);
  const value = () => (random() < 0.03 ? 'NULL' : pick(random, [...kind.values, ...(kind.others ?? [])]));
  const column = pick(random, [`"${name}"`, name.toUpperCase()]);
  switch (Math.floor(random() * 9)) {
    case 0:
      return `${column} IS ${pick(random, ['', 'NOT '])}NULL`;
    case 1:
      return `${column} ${pick(random, ['', 'NOT '])}BETWEEN ${value()} AND ${value()}`;
    case 2:
      return `${column} ${pick(random, ['', 'NOT '])}IN (${[value(), value(), value()]})`;
    case 3:
      return `${column} IS ${pick(random, ['', 'NOT '])}DISTINCT FROM ${value()}`;
    case 4:
      return `s ${pick(random, ['', 'NOT '])}LIKE '${pick(random, ['a%', 'ab%', 'ab', '%', '%b', 'a_c%', 'long %', '\u{1f600}%'])}'`;
    case 5:
      return `${value()} ${pick(random, ['=', '<', '<=', '>', '>=', '<>'])} ${column}`;
    default:
      return `${column} ${pick(random, ['=', '<', '<=', '>', '>=', '<>'])} ${value()}`;
  }
}

function condition(random: Random, depth: number): string {
  if (depth === 0 || random() < 0.3) return random() < 0.1 ? 'length(s) < 3' : comparison(random);
  const [left, right] = [condition(random, depth - 1), condition(random, depth - 1)];
  return pick(random, [`(${left}) AND (${right})`, `(${left}) OR (${right})`, `NOT (${left})`]);
}

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
  await connection.run(`SET TimeZone = 'Europe/Berlin'`);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

/** The files that hold a row for which the condition is true; undefined where DuckDB refuses it. */
async function matching(sql: string): Promise<Set<number> | undefined> {
  try {
    const reader = await connection.runAndReadAll(`SELECT DISTINCT file FROM t WHERE (${sql}\n)`);
    return new Set(reader.getRows().map(([file]) => Number(file)));
  } catch (error) {
    if (/Conversion Error|Out of Range Error/.test(String(error))) return undefined;
    throw error;
  }
}

test('a file with a matching row is never dropped, and most others are', async () => {
  const random = randomBy(SEED);
  let [judged, droppable, dropped] = [0, 0, 0];
  for (let table = 0; table < TABLES; table++) {
    await makeTable(connection, random);
    const facts = await makeFacts(connection, random);
    for (let each = 0; each < CONDITIONS; each++) {
      const sql = condition(random, 2);
      const files = await matching(sql);
      if (files === undefined) continue;
      const keeps = fileFilter(await parsePredicate(connection, sql, schema), schema, []);
      facts.forEach((file, at) => {
        const kept = keeps(file);
        if (files.has(at) && !kept) {
          const shown = JSON.stringify(file.stats, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
          throw new Error(`seed ${SEED}, table ${table}: ${sql} drops file ${at}, which holds a match; ${shown}`);
        }
        judged += 1;
        if (!files.has(at)) droppable += 1;
        if (!kept) dropped += 1;
      });
    }
  }
  expect(judged).toBeGreaterThan(TABLES * CONDITIONS * FILES * 0.7);
  expect(dropped / droppable).toBeGreaterThan(0.5);
});

test('partitions are kept exactly where a row matches', async () => {
  const random = randomBy(SEED + 1);
  const columns = NAMES.filter((name) => KINDS[name]?.sql !== 'FLOAT');
  for (let table = 0; table < 4; table++) {
    await makeTable(connection, random);
    // One row a file, whose every column is a partition value; an empty string is null there.
    await connection.run(
      `CREATE OR REPLACE TABLE t AS SELECT * REPLACE (nullif(s, '') AS s) FROM (SELECT DISTINCT ON (file) * FROM t)`,
    );
    const texts = columns.map((name) =>
      KINDS[name]?.sql === 'TIMESTAMPTZ' ? `(${name} AT TIME ZONE 'UTC')::VARCHAR` : `"${name}"::VARCHAR`,
    );
    const reader = await connection.runAndReadAll(`SELECT file, ${texts.join(', ')} FROM t`);
    for (let each = 0; each < CONDITIONS; each++) {
      const sql = comparison(random);
      const files = await matching(sql);
      const predicate = await parsePredicate(connection, sql, schema);
      if (files === undefined || isDoubtful(predicate) || /\be0\b|e[-+\d]|\bf\b/i.test(sql)) continue;
      const keeps = fileFilter(predicate, schema, columns);
      for (const [file, ...values] of reader.getRows()) {
        const partitionValues = Object.fromEntries(columns.map((name, at) => [name, partitionText(values[at])]));
        expect({ sql, partitionValues, kept: keeps({ partitionValues }) }).toEqual({
          sql,
          partitionValues,
          kept: files.has(Number(file)),
        });
      }
    }
  }
});

function partitionText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  return ({ nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' } as Record<string, string>)[value] ?? value;
}

/** True where a part was not understood. */
function isDoubtful(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isDoubtful);
  return isRecord(value) && (value.op === 'unknown' || Object.values(value).some(isDoubtful));
}
