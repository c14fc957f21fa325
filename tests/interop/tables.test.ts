import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataType, StructField, StructType } from '../../lib/delta/schema/types.ts';
import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { openStore } from '../../lib/storage/index.ts';
import { appendRace } from '../fault/append-race.ts';
import { Lakehouse, TABLES } from '../lib/pipeline/lakehouse.ts';
import { checkStatistics, ourRows, readElsewhere, theirRows } from './tables/readers.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lakelet tables' é-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function column(name: string, type: DataType, nullable = true): StructField {
  return { name, type, nullable, metadata: {} };
}

function struct(...fields: StructField[]): StructType {
  return { type: 'struct', fields };
}

/** Holds what both readers see of a table at some versions against what we see. */
async function expectAgreement(path: string, versions: readonly (number | 'newest')[] = ['newest']): Promise<void> {
  const readings = await readElsewhere(path, versions);
  expect(readings).toHaveLength(versions.length);
  for (const [at, { deltaRs, duckdb }] of readings.entries()) {
    const version = versions[at];
    const table = await DeltaTable.open(path, typeof version === 'number' ? { version } : {});
    const ours = await ourRows(table);
    expect(ours.length).toBeGreaterThan(0);
    expect(deltaRs.version).toBe(table.version);
    expect(deltaRs.schema).toEqual(table.schema);
    expect(Object.keys(duckdb.schema ?? {})).toEqual(table.schema.fields.map(({ name }) => name));
    expect(theirRows(deltaRs)).toEqual(ours);
    expect(theirRows(duckdb)).toEqual(ours);
  }
}

async function expectTrueStatistics(...paths: readonly string[]): Promise<void> {
  const { files, columns, faults } = await checkStatistics(...paths);
  expect(faults).toEqual([]);
  expect(files).toBeGreaterThanOrEqual(paths.length);
  expect(columns).toBeGreaterThan(0);
}

const PRIMITIVES = struct(
  column('id', 'integer', false),
  column('s', 'string'),
  column('l', 'long'),
  column('i', 'integer'),
  column('h', 'short'),
  column('b', 'byte'),
  column('f', 'float'),
  column('d', 'double'),
  column('small', 'decimal(9,2)'),
  column('large', 'decimal(38,10)'),
  column('yes', 'boolean'),
  column('raw', 'binary'),
  column('day', 'date'),
  column('at', 'timestamp'),
  column('local', 'timestamp_ntz'),
);

const EXTREMES = [
  {
    id: 1,
    s: 'plain',
    l: 9223372036854775807n,
    i: 2147483647,
    h: 32767,
    b: 127,
    f: 3.4028234663852886e38,
    d: 1.7976931348623157e308,
    small: '9999999.99',
    large: '9999999999999999999999999999.9999999999',
    yes: true,
    raw: Uint8Array.of(0, 255, 10),
    day: '9999-12-31',
    at: '2262-04-11T23:47:16.854775Z',
    local: '2024-02-29T23:59:59.999999',
  },
  {
    id: 2,
    s: 'é 日本 🙂 "quoted" \\ \n\t end',
    l: -9223372036854775808n,
    i: -2147483648,
    h: -32768,
    b: -128,
    f: -1.1754943508222875e-38,
    d: 5e-324,
    small: '-9999999.99',
    large: '-0.0000000001',
    yes: false,
    raw: new Uint8Array(),
    day: '0001-01-01',
    at: '1969-12-31T23:59:59.999999Z',
    local: '1883-11-18T12:03:57.000001',
  },
  { id: 3, s: '', l: 0n, i: 0, h: 0, b: 0, f: 0, d: -0.5, small: '0.00', large: '0.0000000000', yes: true },
  { id: 4, s: 'x'.repeat(3000), f: Number.NaN, d: Number.POSITIVE_INFINITY },
  { id: 5, f: Number.NEGATIVE_INFINITY, d: Number.NaN },
];

describe('tables that Lakelet writes', () => {
  it('have all primitive types, at their ends and as nulls, for delta-rs and DuckDB as for us', async () => {
    const path = join(folder, 'primitives');
    const table = await DeltaTable.create(path, { schema: PRIMITIVES });
    await table.append({ rows: EXTREMES });
    await expectAgreement(path);
    await expectTrueStatistics(path);
  });

  it('have nested types, with nulls at every level', async () => {
    const path = join(folder, 'nested');
    const address = struct(
      column('city', 'string'),
      column('geo', struct(column('lat', 'double'), column('n', 'long'))),
    );
    const schema = struct(
      column('id', 'long'),
      column('address', address),
      column('tags', { type: 'array', elementType: 'string', containsNull: true }),
      column('counts', { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true }),
      column('people', {
        type: 'array',
        elementType: struct(column('name', 'string'), column('born', 'date')),
        containsNull: true,
      }),
    );
    const table = await DeltaTable.create(path, { schema });
    await table.append({
      rows: [
        {
          id: 1n,
          address: { city: 'Ulm', geo: { lat: 48.4, n: 1n } },
          tags: ['a', null, ''],
          counts: new Map([
            ['x', 1n],
            ['y', null],
          ]),
          people: [{ name: 'Ada', born: '1815-12-10' }, null, { name: null, born: null }],
        },
        { id: 2n, address: { city: null, geo: null }, tags: [], counts: new Map(), people: [] },
        { id: 3n, address: null, tags: null, counts: null, people: null },
      ],
    });
    await expectAgreement(path);
    await expectTrueStatistics(path);
  });

  it('have partitions of every kind of value, odd ones among them', async () => {
    const path = join(folder, 'partitions');
    const schema = struct(column('n', 'long'), column('p', 'string'), column('day', 'date'), column('at', 'timestamp'));
    const odd = [
      'a b',
      'c/d',
      'e=f',
      'g%20h',
      'i:j',
      'k#l?m',
      "n'o",
      '"p"',
      'é日🙂',
      '..',
      'a\\b',
      '[x]*',
      '{y}',
      null,
    ];
    const table = await DeltaTable.create(path, { schema, partitionBy: ['p', 'day', 'at'] });
    await table.append({
      rows: odd.map((p, n) => ({
        n: BigInt(n),
        p,
        day: n % 3 === 0 ? null : `2024-0${1 + (n % 9)}-28`,
        at: n % 4 === 0 ? null : `2024-01-01T00:00:0${n % 10}.000001Z`,
      })),
    });
    await expectAgreement(path);
    await expectTrueStatistics(path);
  });

  it('stay readable at every version through 30 commits, an overwrite and checkpoints', async () => {
    const path = join(folder, 'long');
    const schema = struct(column('version', 'integer'), column('n', 'long'));
    const table = await DeltaTable.create(path, { schema });
    for (let version = 1; version <= 30; version++) {
      const rows = Array.from({ length: 3 }, (_, n) => ({ version, n: BigInt(n) }));
      const { version: made } = version === 20 ? await table.overwrite({ rows }) : await table.append({ rows });
      expect(made).toBe(version);
    }
    await table.checkpoint();
    await expectAgreement(path, ['newest', 1, 9, 10, 11, 19, 20, 25]);
    expect(await ourRows(await DeltaTable.open(path))).toHaveLength(33);
    await expectTrueStatistics(path);
  }, 120_000);

  it('that 8 processes appended to at once are read alike', async () => {
    const path = join(folder, 'race');
    await appendRace(path, 8, 50);
    await expectAgreement(path);
    const table = await DeltaTable.open(path);
    expect(table.version).toBe(400);
    expect(await ourRows(table)).toHaveLength(400);
  }, 180_000);
});

describe('the tables of the pipeline', () => {
  it('are read alike after two deliveries, their statistics true', async () => {
    const lake = join(folder, 'lake');
    const lakehouse = new Lakehouse(openStore(lake));
    await lakehouse.all({ runId: 'first', rows: 1500 });
    await lakehouse.all({ runId: 'second', rows: 1500, seed: 7 });
    const paths = TABLES.map((table) => join(lake, table));
    for (const path of paths) await expectAgreement(path);
    await expectTrueStatistics(...paths);
  }, 180_000);
});
