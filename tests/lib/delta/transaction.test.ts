import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeltaTable, LakeletError, openStore, type Row } from '../../../lib/duckdb/delta.ts';
import type { ByteRange } from '../../../lib/storage/object-store.ts';
import { type FaultPlan, FaultyStore } from '../../fault/faulty-store.ts';
import { field, newPlace, newTable, rowsOf, struct } from '../duckdb/tables.ts';

const SCHEMA = struct(field('n', 'long'), field('p', 'string'));
const one = (n: number): { rows: Row[] } => ({ rows: [{ n: BigInt(n), p: 'x' }] });
const numbers = async (table: DeltaTable) => (await rowsOf(table)).map(({ n }) => Number(n)).sort((a, b) => a - b);

describe('create', () => {
  test('refuses a place that has a table, whatever it is called with', async () => {
    const table = await newTable(SCHEMA);
    await expect(DeltaTable.create(table.uri, { schema: SCHEMA })).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
  });

  test('by two at the same time makes one table', async () => {
    const place = newPlace();
    const results = await Promise.allSettled([1, 2, 3].map(() => DeltaTable.create(place, { schema: SCHEMA })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'TABLE_EXISTS' });
    }
    expect((await DeltaTable.open(place)).version).toBe(0);
  });

  test.each([
    [{ type: 'struct', fields: [] }, 'SCHEMA_INVALID'],
    [struct(field('a', 'long'), field('A', 'long')), 'SCHEMA_INVALID'],
    [struct(field('', 'long')), 'SCHEMA_INVALID'],
    [struct(field('a', 'varchar')), 'UNSUPPORTED_TYPE'],
    [struct(field('a', 'decimal(39,0)')), 'UNSUPPORTED_TYPE'],
    [struct(field('a', 'decimal(3,4)')), 'UNSUPPORTED_TYPE'],
    [struct(field('a', 'variant')), 'UNSUPPORTED_TYPE'],
    [null, 'SCHEMA_INVALID'],
    ['long', 'SCHEMA_INVALID'],
    [{ type: 'struct', fields: [{ type: 'long' }] }, 'SCHEMA_INVALID'],
    [
      {
        type: 'struct',
        fields: [{ name: 'a', type: 'long', nullable: true, metadata: { 'delta.generationExpression': '1' } }],
      },
      'UNSUPPORTED_FEATURE',
    ],
  ])('refuses the schema %j', async (schema, code) => {
    await expect(newTable(schema as typeof SCHEMA)).rejects.toMatchObject({ name: 'LakeletError', code });
  });

  test.each(['delta.enableChangeDataFeed', 'delta.enableDeletionVectors', 'delta.enableInCommitTimestamps'])(
    'refuses %s, which it could not keep',
    async (name) => {
      await expect(newTable(SCHEMA, { properties: { [name]: 'TRUE' } })).rejects.toMatchObject({
        code: 'UNSUPPORTED_FEATURE',
      });
    },
  );

  test('says what a timestamp without a zone needs', async () => {
    const table = await newTable(struct(field('at', 'timestamp_ntz')));
    expect(await table.detail()).toMatchObject({
      minReaderVersion: 3,
      minWriterVersion: 7,
      tableFeatures: expect.arrayContaining(['timestampNtz']),
    });
    expect(await (await newTable(SCHEMA)).detail()).toMatchObject({
      minReaderVersion: 1,
      minWriterVersion: 2,
      tableFeatures: [],
    });
  });
});

describe('a write with a txn', () => {
  test('is done once, and the second time tells of the first', async () => {
    const table = await newTable(SCHEMA);
    await table.append(one(1));
    const first = await table.append(one(2), { txn: { appId: 'step' } });
    expect(first).toMatchObject({ version: 2, metrics: { numOutputRows: 1 } });
    await table.append(one(3));
    const again = await (await DeltaTable.open(table.uri)).append(one(2), { txn: { appId: 'step' } });
    expect(again).toEqual({
      version: 2,
      alreadyCommitted: true,
      metrics: { numOutputRows: 0, numAddedFiles: 0, numRemovedFiles: 0, numOutputBytes: 0 },
    });
    expect(await table.txnVersion('step')).toBe(2);
    expect(await table.txnVersion('other')).toBeUndefined();
    expect(await numbers(await DeltaTable.open(table.uri))).toEqual([1, 2, 3]);
  });

  test('of a greater version is done, of a lesser one not', async () => {
    const table = await newTable(SCHEMA);
    await table.append(one(5), { txn: { appId: 'stream', version: 5 } });
    expect(await table.append(one(4), { txn: { appId: 'stream', version: 4 } })).toMatchObject({
      alreadyCommitted: true,
    });
    expect(await table.append(one(5), { txn: { appId: 'stream', version: 5 } })).toMatchObject({
      alreadyCommitted: true,
    });
    expect(await table.append(one(6), { txn: { appId: 'stream', version: 6 } })).not.toHaveProperty('alreadyCommitted');
    expect(await numbers(table)).toEqual([5, 6]);
  });

  test('by many at the same time is done once', async () => {
    const place = newPlace();
    await DeltaTable.create(place, { schema: SCHEMA });
    const tables = await Promise.all(Array.from({ length: 6 }, () => DeltaTable.open(place)));
    const results = await Promise.all(tables.map((table) => table.append(one(1), { txn: { appId: 'step' } })));
    expect(results.filter(({ alreadyCommitted }) => alreadyCommitted === undefined)).toHaveLength(1);
    expect(new Set(results.map(({ version }) => version))).toEqual(new Set([1]));
    expect(await numbers(await DeltaTable.open(place))).toEqual([1]);
  });
});

describe('two writers', () => {
  test('both append, the loser of a version after the winner, without writing its data anew', async () => {
    const place = newPlace();
    const first = await DeltaTable.create(place, { schema: SCHEMA });
    const second = await DeltaTable.open(place);
    await first.append(one(1));
    await first.overwrite(one(2));
    expect(await second.append(one(3))).toMatchObject({ version: 3 });
    expect(await numbers(second)).toEqual([2, 3]);
  });

  test('do not both overwrite: the later sees what the earlier did', async () => {
    const place = newPlace();
    const first = await DeltaTable.create(place, { schema: SCHEMA });
    await first.append(one(0));
    const second = await DeltaTable.open(place);
    const third = await DeltaTable.open(place);
    await first.append(one(1));
    await expect(second.overwrite(one(2))).rejects.toMatchObject({
      code: 'CONCURRENT_APPEND',
      retryable: true,
      message: expect.stringMatching(/version 2 \(WRITE\)/),
    });
    await first.overwrite({ rows: [] });
    await expect(third.overwrite(one(3))).rejects.toMatchObject({ code: 'CONCURRENT_APPEND' });
    await second.refresh();
    await second.overwrite(one(2));
    expect(await numbers(second)).toEqual([2]);
  });

  test.each([
    ['protocol', '{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}', 'PROTOCOL_CHANGED'],
    [
      'schema',
      JSON.stringify({
        metaData: {
          id: 'x',
          format: { provider: 'parquet', options: {} },
          schemaString: JSON.stringify(SCHEMA),
          partitionColumns: [],
          configuration: {},
        },
      }),
      'METADATA_CHANGED',
    ],
    ['own progress', '{"txn":{"appId":"mine","version":3}}', 'CONCURRENT_TRANSACTION'],
  ])('stand against each other where one changes the %s', async (_, action, code) => {
    const store = openStore(newPlace());
    const table = await DeltaTable.create(store, { schema: SCHEMA });
    await store.put('_delta_log/00000000000000000001.json', new TextEncoder().encode(action));
    await expect(table.append(one(1), { txn: { appId: 'mine', version: 9 } })).rejects.toMatchObject({
      code,
      retryable: true,
    });
    const left = [];
    for await (const { key } of store.list('')) if (key.endsWith('.parquet')) left.push(key);
    expect(left).toEqual([]);
  });

  test('a table that is append-only is appended to, never overwritten', async () => {
    const table = await newTable(SCHEMA, { properties: { 'delta.appendOnly': 'true' } });
    await table.append(one(1));
    await expect(table.overwrite(one(2))).rejects.toMatchObject({ code: 'APPEND_ONLY' });
    expect(await numbers(table)).toEqual([1]);
  });
});

describe('a store that fails', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const dataFiles = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.parquet') && !name.includes('_delta_log'),
    );

  test.each([
    ['before', [] as string[]],
    ['after', [] as string[]],
    ['before', ['p']],
    ['after', ['p']],
  ] as const)(
    'at any one call, %s it is done (partitions: %j), leaves the write whole or undone',
    async (fault, partitionBy) => {
      const inner = openStore(folder);
      const rows = [1, 2, 3].map((n) => ({ n: BigInt(n), p: `p${n}` }));
      await (await DeltaTable.create(inner, { schema: SCHEMA, partitionBy })).append({ rows: [{ n: 0n, p: 'p0' }] });
      let failed = 0;
      for (let failAt = 1; ; failAt++) {
        const plan: FaultPlan = { failAt: 0, fault, calls: 0, struck: false };
        const table = await DeltaTable.open(new FaultyStore(inner, plan));
        Object.assign(plan, { calls: 0, failAt });
        const before = await DeltaTable.open(inner);
        const [rowsBefore, filesBefore] = [await numbers(before), dataFiles()];
        const outcome = await table.append({ rows }, { commitInfo: { failAt } }).then(
          ({ version }) => version,
          (error: unknown) => error,
        );
        const after = await DeltaTable.open(inner);
        if (typeof outcome === 'number') {
          expect(after.version).toBe(outcome);
          expect(await numbers(after)).toEqual([...rowsBefore, 1, 2, 3].sort((a, b) => a - b));
        } else {
          failed++;
          expect(outcome).toMatchObject({
            name: 'LakeletError',
            code: expect.stringMatching(/STORE_FAILED|COMMIT_UNKNOWN/),
          });
          expect(after.version).toBe(before.version);
          expect(await numbers(after)).toEqual(rowsBefore);
          expect(dataFiles()).toEqual(filesBefore);
        }
        if (!plan.struck) break;
      }
      expect(failed).toBeGreaterThan(0);
    },
  );

  test('after the commit and again as it is read back says that the outcome is not known, and keeps the data', async () => {
    class DeadLine extends FaultyStore {
      broken = false;
      override async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
        await super.putIfAbsent(key, body);
        this.broken = true;
        throw new LakeletError('STORE_FAILED', 'the line is dead');
      }
      override async get(key: string, range?: ByteRange): Promise<Uint8Array> {
        if (this.broken) throw new LakeletError('STORE_FAILED', 'the line is dead');
        return super.get(key, range);
      }
    }
    const inner = openStore(folder);
    await DeltaTable.create(inner, { schema: SCHEMA });
    const table = await DeltaTable.open(new DeadLine(inner, { failAt: 0, fault: 'before', calls: 0, struck: false }));
    await expect(table.append(one(1))).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' });
    expect(await numbers(await DeltaTable.open(inner))).toEqual([1]);
  });
});
