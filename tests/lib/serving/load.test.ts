import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Config, loadConfig, recordsUri } from '../../../lib/config.ts';
import { type FeatureColumn, toOnnx, trainForest } from '../../../lib/forest/index.ts';
import { logTraining } from '../../../lib/mlflow/index.ts';
import { loadServedModel, type ServedModel, scoreRecords, warningsOf } from '../../../lib/serving/index.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { type ServerDouble, startServerDouble } from '../mlflow/server-double.ts';
import { trainingExample } from '../mlflow/training-example.ts';
import { linearModel, mlmodel } from './onnx-graph.ts';

const folder = mkdtempSync(join(tmpdir(), 'lakelet-serving-'));
let server: ServerDouble;
let config: Config;
/** A forest that knows one category and answers its level for all rows. */
let forestOf: (level: number) => Promise<Uint8Array>;
const log = { warn: jest.fn() };

beforeAll(() => {
  const columns: FeatureColumn[] = [
    { name: 'age', kind: 'numeric', values: Float64Array.of(1, 2) },
    { name: 'city', kind: 'categorical', categories: ['Bern'], codes: Int32Array.of(0, 0) },
  ];
  forestOf = async (level) =>
    toOnnx(await trainForest({ columns, target: Float64Array.of(level, level) }, { nEstimators: 1, nJobs: 1 }));
});
beforeEach(async () => {
  server = await startServerDouble();
  config = { ...loadConfig({ MLFLOW_TRACKING_URI: server.uri, LAKE_URI: join(folder, 'lake') }), root: folder };
  log.warn.mockClear();
});
afterEach(() => server.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function register(files: Record<string, Uint8Array>): string {
  const version = String(server.versions.length + 1);
  server.versions.push({ version, runId: '', modelId: `m-${version}`, tags: new Map(), description: '' });
  for (const [name, bytes] of Object.entries(files)) {
    server.files.set(`1/models/m-${version}/artifacts/${name}`, Buffer.from(bytes));
  }
  return version;
}

async function level(model: ServedModel): Promise<number | undefined> {
  return (await scoreRecords(model, [{ age: 1, city: 'Bern' }])).predicted[0];
}

function asked(what: string): number {
  return server.calls.filter((call) => call.startsWith(`GET ${what}`)).length;
}

describe('a model of a server', () => {
  test('follows its alias, and loads each version once', async () => {
    server.aliases.set('champion', register({ 'model.onnx': await forestOf(7) }));
    const load = () => loadServedModel(config, 'm@champion', { refreshMs: 0 });
    expect([await level(await load()), (await load()).version, (await load()).name]).toEqual([7, '1', 'm']);
    server.aliases.set('champion', register({ 'model.onnx': await forestOf(9) }));
    expect([await level(await load()), (await load()).version]).toEqual([9, '2']);
    server.aliases.set('champion', '1');
    expect(await level(await load())).toBe(7);
    expect(asked('mlflow-artifacts')).toBe(2);
  });

  test('counts as standing where it stood for a while, and is asked for once by all who wait', async () => {
    server.aliases.set('champion', register({ 'model.onnx': await forestOf(7) }));
    const many = await Promise.all(Array.from({ length: 20 }, () => loadServedModel(config, 'm@champion')));
    expect(new Set(many).size).toBe(1);
    server.aliases.set('champion', register({ 'model.onnx': await forestOf(9) }));
    expect((await loadServedModel(config, 'm@champion')).version).toBe('1');
    expect(asked('registered-models/get')).toBe(1);
    expect((await loadServedModel(config, 'm@champion', { refreshMs: 0 })).version).toBe('2');
    expect((await loadServedModel(config, 'm@1')).version).toBe('1');
  });

  test('goes on being served while the registry is away, which is logged', async () => {
    server.aliases.set('champion', register({ 'model.onnx': await forestOf(7) }));
    await loadServedModel(config, 'm@champion');
    server.fail = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    const options = { refreshMs: 1, log };
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await level(await loadServedModel(config, 'm@champion', options))).toBe(7);
    expect(log.warn).toHaveBeenCalledTimes(1);
    expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ version: '1' }), 'the registry is away');
    // Then it is left alone for a while.
    const calls = server.calls.length;
    await loadServedModel(config, 'm@champion', options);
    expect(server.calls).toHaveLength(calls);
    await expect(loadServedModel(config, 'other@champion')).rejects.toMatchObject({ code: 'MLFLOW_FAILED' });
  });

  test('is no longer served when its alias is gone, or stands at what can not be served', async () => {
    server.aliases.set('champion', register({ 'model.onnx': await forestOf(7) }));
    const load = () => loadServedModel(config, 'm@champion', { refreshMs: 0 });
    await load();
    server.aliases.set(
      'champion',
      register({ 'model.onnx': linearModel([{ name: 'x', type: 'float', width: 1 }], [1]) }),
    );
    await expect(load()).rejects.toMatchObject({ code: 'MODEL_UNSUITABLE', message: expect.stringContaining('m@2') });
    server.aliases.delete('champion');
    await expect(load()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    server.aliases.set('champion', '1');
    expect(await level(await load())).toBe(7);
  });

  test('is one of another maker, by its folder', async () => {
    const onnx = linearModel([{ name: 'age', type: 'float', width: 1 }], [3]);
    server.aliases.set(
      'champion',
      register({ 'model.onnx': onnx, MLmodel: mlmodel([{ name: 'age', type: 'double' }]) }),
    );
    const model = await loadServedModel(config, 'theirs@champion');
    expect([...(await scoreRecords(model, [{ age: 2 }, { age: 5 }])).predicted]).toEqual([6, 15]);
    await expect(scoreRecords(model, [{ age: '2' }])).rejects.toThrow(/age is a number/);
  });

  test.each(['m', '@champion', 'm@', ''])('has a name and an alias: %p is neither', async (reference) => {
    await expect(loadServedModel(config, reference)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });
});

test('a model of the local records follows the champion there', async () => {
  const { trackingUri: _, ...mlflow } = config.mlflow;
  const local = { ...config, mlflow };
  const records = openStore(recordsUri(local));
  const keep = async (runId: string, rmse: number, at: number): Promise<void> => {
    const example = trainingExample(runId, rmse);
    const training = { ...example, model: { ...example.model, name: 'm', onnx: await forestOf(at) } };
    await logTraining(training, {
      ...mlflow,
      records,
      evaluateChampion: async () => ({ rmse: 9, better: rmse < 9, pValue: 0, difference: 1, metrics: {} }),
    });
  };
  const load = () => loadServedModel(local, 'm@champion', { refreshMs: 0 });
  await expect(load()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  await keep('a', 9, 7);
  expect(await level(await load())).toBe(7);
  await keep('b', 10, 8);
  expect(await level(await load())).toBe(7);
  await keep('c', 3, 9);
  expect([await level(await load()), (await load()).version]).toEqual([9, '3']);
});

test('a category that a model has not seen is told, and counts as missing', async () => {
  server.aliases.set('champion', register({ 'model.onnx': await forestOf(7) }));
  const model = await loadServedModel(config, 'm@champion');
  const { unseen } = await scoreRecords(model, [
    { age: 1, city: 'Bern' },
    { age: 1, city: 'Basel' },
    { age: null, city: null },
    { age: 1, city: 'Basel' },
  ]);
  expect(unseen).toEqual([{ feature: 'city', category: 'Basel' }]);
  expect(warningsOf(unseen)).toEqual(['city: the model does not know "Basel", which counts as missing']);
  const many = Array.from({ length: 30 }, (_, at) => ({ feature: 'city', category: `c${at}` }));
  expect(warningsOf(many)).toHaveLength(21);
});
