import { describe, expect, test } from '@jest/globals';
import { DeltaTable, type ObjectStore, openStore } from '../../../lib/duckdb/delta.ts';
import { field, newPlace, rowsOf, struct } from '../duckdb/tables.ts';

const SCHEMA = struct(field('n', 'long'));
const encode = (text: string) => new TextEncoder().encode(text);
const name = (version: number, ending = 'json') => `_delta_log/${String(version).padStart(20, '0')}.${ending}`;

/** A table of a few commits, one row each, at its store. */
async function tableOf(commits: number, properties: Record<string, string> = {}): Promise<ObjectStore> {
  const store = openStore(newPlace());
  const table = await DeltaTable.create(store, { schema: SCHEMA, properties });
  for (let n = 1; n <= commits; n++) await table.append({ rows: [{ n: BigInt(n) }] });
  return store;
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys = [];
  for await (const { key } of store.list('_delta_log/')) keys.push(key);
  return keys;
}

async function textOf(store: ObjectStore, key: string): Promise<string> {
  return new TextDecoder().decode(await store.get(key));
}

async function countOf(store: ObjectStore, options: { version?: number } = {}): Promise<number> {
  return (await rowsOf(await DeltaTable.open(store, options))).length;
}

describe('versions', () => {
  test('each can be opened by number, and none beyond them', async () => {
    const store = await tableOf(12);
    for (let version = 0; version <= 12; version++) expect(await countOf(store, { version })).toBe(version);
    await expect(DeltaTable.open(store, { version: 13 })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringMatching(/no version 13: versions 0 to 12/),
    });
  });

  test.each([-1, 1.5, Number.NaN, Infinity])('%p is no version', async (version) => {
    await expect(DeltaTable.open(await tableOf(0), { version })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('are found by an instant, which may be a Date or text', async () => {
    const store = await tableOf(3);
    const inCommit = async (version: number, time: number) => {
      const lines = (await textOf(store, name(version))).split('\n');
      const info = JSON.parse(lines[0] ?? '');
      info.commitInfo.inCommitTimestamp = time;
      await store.put(name(version), encode([JSON.stringify(info), ...lines.slice(1)].join('\n')));
    };
    for (const [version, hour] of [10, 11, 12, 13].entries()) await inCommit(version, Date.UTC(2024, 0, 1, hour));
    const at = async (timestamp: string | Date) => (await DeltaTable.open(store, { timestamp })).version;
    expect(await at('2024-01-01T11:30:00Z')).toBe(1);
    expect(await at('2024-01-01T12:00:00.000Z')).toBe(2);
    expect(await at('2024-01-01 12:30:00')).toBe(2);
    expect(await at('2024-01-01T14:30:00+02:00')).toBe(2);
    expect(await at(new Date(Date.UTC(2030, 0, 1)))).toBe(3);
    await expect(at('2024-01-01T09:00:00Z')).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringContaining('2024-01-01T10:00:00.000Z'),
    });
    await expect(at('soon')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(at(new Date(Number.NaN))).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(DeltaTable.open(store, { version: 1, timestamp: new Date() })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  test('of others are reached by refresh, and the old ones stay what they were', async () => {
    const store = await tableOf(1);
    const [reader, writer] = [await DeltaTable.open(store), await DeltaTable.open(store)];
    await writer.append({ rows: [{ n: 2n }] });
    await writer.overwrite({ rows: [{ n: 9n }] });
    expect([reader.version, await rowsOf(reader)]).toEqual([1, [{ n: 1n }]]);
    await reader.refresh();
    expect([reader.version, await rowsOf(reader)]).toEqual([3, [{ n: 9n }]]);
    await reader.refresh();
    expect(reader.version).toBe(3);
  });

  test('are told by history, newest first', async () => {
    const store = await tableOf(2);
    const table = await DeltaTable.open(store);
    await table.overwrite({ rows: [] }, { commitInfo: { userMetadata: 'by hand', extra: [1], operation: 'LIE' } });
    const history = await table.history();
    expect(history.map(({ version, operation }) => [version, operation])).toEqual([
      [3, 'WRITE'],
      [2, 'WRITE'],
      [1, 'WRITE'],
      [0, 'CREATE TABLE'],
    ]);
    expect(history[0]).toMatchObject({
      operationParameters: { mode: 'Overwrite' },
      isBlindAppend: false,
      userMetadata: 'by hand',
      operationMetrics: { numRemovedFiles: '2' },
    });
    expect(history[1]).toMatchObject({
      operationParameters: { mode: 'Append' },
      isBlindAppend: true,
      readVersion: 1,
      operationMetrics: { numOutputRows: '1' },
    });
    expect(await table.history({ limit: 1 })).toEqual(history.slice(0, 1));
    expect(await table.commitInfo(3)).toMatchObject({ extra: [1], operation: 'WRITE' });
    await expect(table.commitInfo(4)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
  });
});

describe('checkpoints', () => {
  test('are written each ten commits, named by _last_checkpoint, and enough to open the table', async () => {
    const store = await tableOf(12);
    expect(JSON.parse(await textOf(store, '_delta_log/_last_checkpoint'))).toEqual({
      version: 10,
      size: 12,
      sizeInBytes: expect.any(Number),
      numOfAddFiles: 10,
    });
    for (let version = 0; version <= 10; version++) await store.delete(name(version));
    expect(await countOf(store)).toBe(12);
    expect(await countOf(store, { version: 10 })).toBe(10);
    await expect(DeltaTable.open(store, { version: 9 })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringContaining('versions 10 to 12'),
    });
    await (await DeltaTable.open(store)).append({ rows: [{ n: 13n }] });
    expect(await countOf(store)).toBe(13);
    expect((await (await DeltaTable.open(store)).history()).map(({ version }) => version)).toEqual([13, 12, 11]);
    await store.delete('_delta_log/_last_checkpoint');
    expect(await countOf(store)).toBe(13);
  });

  test('come as often as the table says', async () => {
    const store = await tableOf(5, { 'delta.checkpointInterval': '2' });
    expect((await keysOf(store)).filter((key) => key.includes('checkpoint.parquet'))).toEqual([
      name(2, 'checkpoint.parquet'),
      name(4, 'checkpoint.parquet'),
    ]);
  });

  test('keep all that the log says', async () => {
    const store = openStore(newPlace());
    const schema = struct(field('n', 'long', false), field('p', 'string'));
    const properties = { 'delta.logRetentionDuration': 'interval 1 day', empty: '' };
    const table = await DeltaTable.create(store, { schema, partitionBy: ['p'], properties });
    await table.append(
      {
        rows: [
          { n: 1n, p: null },
          { n: 2n, p: 'ü/ ' },
        ],
      },
      { txn: { appId: 'app', version: 5 } },
    );
    await table.overwrite({ rows: [{ n: 3n, p: 'x' }] });
    const before = await table.detail();
    const files = await table.files();
    await table.checkpoint();
    for (let version = 0; version <= 2; version++) await store.delete(name(version));
    const read = await DeltaTable.open(store);
    expect({ ...(await read.detail()), lastModified: '' }).toEqual({ ...before, lastModified: '' });
    expect(await read.files()).toEqual(files);
    expect(await read.txnVersion('app')).toBe(5);
    expect(await rowsOf(read)).toEqual([{ n: 3n, p: 'x' }]);
  });

  test.each([
    '',
    'no json',
    '{"version":"10"}',
    '{"version":99}',
    '{"version":-1}',
    '[]',
    'null',
    '{"version":1e300}',
    '{"version":7}',
  ])('are found where _last_checkpoint says %j, in a short log and a long one', async (text) => {
    const store = await tableOf(12);
    await store.put('_delta_log/_last_checkpoint', encode(text));
    expect(await countOf(store)).toBe(12);
    await lengthen(store);
    expect(await countOf(store)).toBe(12);
    expect(await countOf(store, { version: 5 })).toBe(5);
  });

  test('lead past the beginning of a long log', async () => {
    const store = await tableOf(12);
    await lengthen(store);
    await store.delete(name(4));
    expect(await countOf(store)).toBe(12);
    const listed: string[] = [];
    const list = store.list.bind(store);
    store.list = async function* (prefix, options) {
      for await (const object of list(prefix, options)) {
        listed.push(object.key);
        yield object;
      }
    };
    await DeltaTable.open(store);
    // The thousand files that show that the log is long, and those of the versions from 10.
    expect(listed.slice(1000)).toEqual([
      name(10, 'checkpoint.parquet'),
      name(10),
      name(11),
      name(12),
      '_delta_log/_last_checkpoint',
    ]);
  });

  test('that are broken are told as such', async () => {
    const store = await tableOf(10);
    const whole = await store.get(name(10, 'checkpoint.parquet'));
    for (const bytes of [
      new Uint8Array(),
      encode('PAR1 no parquet PAR1'),
      whole.subarray(0, whole.length / 2),
      whole.toReversed(),
    ]) {
      await store.put(name(10, 'checkpoint.parquet'), bytes);
      await expect(DeltaTable.open(store)).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        message: expect.stringContaining('checkpoint'),
      });
      expect(await countOf(store, { version: 9 })).toBe(9);
    }
  });

  test('are read anew where they were written anew', async () => {
    const store = await tableOf(10);
    expect(await countOf(store)).toBe(10);
    const other = await tableOf(1, { 'delta.checkpointInterval': '1' });
    await store.put(name(10, 'checkpoint.parquet'), await other.get(name(1, 'checkpoint.parquet')));
    expect(await (await DeltaTable.open(store)).files()).toHaveLength(1);
  });

  test('of which a part is missing do not count', async () => {
    const store = await tableOf(12);
    await store.put(
      name(11, 'checkpoint.0000000001.0000000002.parquet'),
      await store.get(name(10, 'checkpoint.parquet')),
    );
    expect(await countOf(store)).toBe(12);
  });
});

describe('a log', () => {
  const put = async (store: ObjectStore, version: number, ...lines: string[]) =>
    store.put(name(version), encode(lines.join('\n')));
  const PROTOCOL = '{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}';
  const METADATA = JSON.stringify({
    metaData: {
      id: 'x',
      format: { provider: 'parquet', options: {} },
      schemaString: JSON.stringify(SCHEMA),
      partitionColumns: [],
      configuration: {},
    },
  });

  test.each<readonly [string, readonly string[], string, RegExp]>([
    ['that is cut off', [PROTOCOL, METADATA.slice(0, 40)], 'LOG_CORRUPT', /line 2: it is no JSON/],
    ['of other JSON', [PROTOCOL, '[]'], 'LOG_CORRUPT', /line 2: it is no JSON object/],
    ['without protocol', [METADATA], 'LOG_CORRUPT', /no protocol/],
    ['without metadata', [PROTOCOL], 'LOG_CORRUPT', /no metaData/],
    ['that is empty', [], 'LOG_CORRUPT', /no protocol/],
    [
      'with an add without a path',
      [PROTOCOL, METADATA, '{"add":{"size":1}}'],
      'LOG_CORRUPT',
      /line 3: its add has no path/,
    ],
    ['with an add of another kind', [PROTOCOL, METADATA, '{"add":7}'], 'LOG_CORRUPT', /its add is no object/],
    ['with a size that is text', [PROTOCOL, METADATA, '{"add":{"path":"x","size":"1"}}'], 'LOG_CORRUPT', /size/],
    [
      'with partition values that are numbers',
      [PROTOCOL, METADATA, '{"add":{"path":"x","size":1,"partitionValues":{"a":1}}}'],
      'LOG_CORRUPT',
      /partitionValues/,
    ],
    [
      'with a time that is text',
      [PROTOCOL, METADATA, '{"add":{"path":"x","size":1,"modificationTime":"now"}}'],
      'LOG_CORRUPT',
      /modificationTime/,
    ],
    [
      'with a deletion vector that is text',
      [PROTOCOL, METADATA, '{"add":{"path":"x","size":1,"deletionVector":"y"}}'],
      'LOG_CORRUPT',
      /deletionVector/,
    ],
    ['with a schema that is no JSON', [PROTOCOL, METADATA.replace('{\\"type', '\\"type')], 'SCHEMA_INVALID', /no JSON/],
    [
      'with a type that is not known',
      [PROTOCOL, METADATA.replace('long', 'complex')],
      'UNSUPPORTED_TYPE',
      /Column n.*complex/,
    ],
    [
      'partitioned by no column',
      [PROTOCOL, METADATA.replace('"partitionColumns":[]', '"partitionColumns":["q"]')],
      'LOG_CORRUPT',
      /partitions by q/,
    ],
    ['of another format', [PROTOCOL, METADATA.replace('parquet', 'orc')], 'LOG_CORRUPT', /format orc/],
    ['of a future reader version', [PROTOCOL.replace(':1', ':4'), METADATA], 'UNSUPPORTED_FEATURE', /reader version 4/],
    [
      'of a version that is no whole number',
      [PROTOCOL.replace(':1', ':1.5'), METADATA],
      'UNSUPPORTED_FEATURE',
      /reader version 1.5/,
    ],
    [
      'with an unknown feature',
      [
        '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["time\\ntravel"],"writerFeatures":[]}}',
        METADATA,
      ],
      'UNSUPPORTED_FEATURE',
      /feature time.{1,4}travel/,
    ],
  ])('%s is refused', async (_, lines, code, message) => {
    const store = openStore(newPlace());
    await put(store, 0, ...lines);
    await expect(DeltaTable.open(store)).rejects.toMatchObject({
      name: 'LakeletError',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('with times that no Date can hold is read', async () => {
    const store = openStore(newPlace());
    const info = '{"commitInfo":{"inCommitTimestamp":1e300}}';
    await put(
      store,
      0,
      info,
      PROTOCOL,
      METADATA.replace('"id"', '"createdTime":-1e300,"id"'),
      '{"add":{"path":"x","size":1,"modificationTime":1e300}}',
    );
    const table = await DeltaTable.open(store);
    expect((await table.history())[0]?.timestamp).toBe('+275760-09-13T00:00:00.000Z');
    expect((await table.detail()).createdAt).toBe('-271821-04-20T00:00:00.000Z');
    expect((await table.files())[0]?.modificationTime).toBe('+275760-09-13T00:00:00.000Z');
  });

  test('with unknown actions, fields and files is read all the same', async () => {
    const store = await tableOf(1);
    await put(
      store,
      2,
      '{"newAction":{"a":1}}',
      '{"commitInfo":{"future":true}}',
      '',
      '{"domainMetadata":{"domain":"d","configuration":"{}","removed":false,"more":1}}',
    );
    await store.put('_delta_log/00000000000000000002.crc', encode('{}'));
    await store.put('_delta_log/00000000000000000001.00000000000000000002.compacted.json', encode('{}'));
    await store.put('_delta_log/.tmp-123', encode('x'));
    await store.put('_delta_log/00000000000000000009.json.tmp', encode('x'));
    await store.put('_delta_log/_staged_commits/00000000000000000003.u.json', encode('x'));
    const table = await DeltaTable.open(store);
    expect([table.version, await rowsOf(table)]).toEqual([2, [{ n: 1n }]]);
  });

  test('with a gap is refused, unless what is asked for lies before it', async () => {
    const store = await tableOf(5);
    await store.delete(name(3));
    await expect(DeltaTable.open(store)).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      message: expect.stringContaining(name(3)),
    });
    expect(await countOf(store, { version: 2 })).toBe(2);
    await store.delete(name(0));
    await expect(DeltaTable.open(store)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  test('that asks for what only a writer must know is read, and not written', async () => {
    const store = await tableOf(1);
    await put(
      store,
      2,
      '{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","somethingNew"]}}',
    );
    const table = await DeltaTable.open(store);
    expect(await rowsOf(table)).toHaveLength(1);
    await expect(table.append({ rows: [] })).rejects.toMatchObject({
      code: 'UNSUPPORTED_FEATURE',
      message: expect.stringContaining('somethingNew'),
    });
    await expect(table.checkpoint()).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
    expect(await keysOf(store)).toHaveLength(3);
  });

  test('whose file is gone says so', async () => {
    const store = await tableOf(1);
    const [file] = await (await DeltaTable.open(store)).files();
    await store.delete(file?.path ?? '');
    const read = await DeltaTable.open(openStore(store.uri).at(''));
    await expect(rowsOf(read)).rejects.toMatchObject({
      code: expect.stringMatching(/FILE_MISSING|NOT_FOUND/),
      message: expect.stringContaining(file?.path ?? ''),
    });
  });

  test.each([
    '../secret.parquet',
    'a/../../secret.parquet',
    '%2e%2e/secret.parquet',
    '/etc/passwd',
    'file:///etc/passwd',
    's3://other/bucket.parquet',
    'https://example.com/x.parquet',
    'a\\..\\..\\x',
  ])('that names the file %j outside of the table is refused', async (path) => {
    const store = await tableOf(0);
    await put(
      store,
      1,
      JSON.stringify({ add: { path, size: 1, partitionValues: {}, modificationTime: 0, dataChange: true } }),
    );
    const table = await DeltaTable.open(store);
    await expect(rowsOf(table)).rejects.toMatchObject({
      name: 'LakeletError',
      code: expect.stringMatching(/FILE_OUTSIDE_TABLE|INVALID_KEY|FILE_MISSING|NOT_FOUND/),
    });
  });
});

test('where there is no log there is no table', async () => {
  const store = openStore(newPlace());
  expect(await DeltaTable.exists(store)).toBe(false);
  await expect(DeltaTable.open(store)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  await expect(DeltaTable.open(store, { version: 0 })).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  await expect(DeltaTable.open(store, { timestamp: new Date() })).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  await store.put('_delta_log/x', encode('x'));
  expect(await DeltaTable.exists(store)).toBe(false);
});

/** Gives a log a thousand files more at its beginning, which readers may ignore. */
async function lengthen(store: ObjectStore): Promise<void> {
  for (let n = 0; n < 1000; n++) await store.put(name(0, `${n}.ignored`), encode(''));
}
