import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purchases } from '../../datasets/purchases/index.ts';
import { handler } from '../../functions/predict.ts';
import { fromOnnx } from '../../lib/forest/index.ts';
import { localModel } from '../../lib/mlflow/index.ts';
import { answerPredict, ensembleScorer, predictEvent } from '../../lib/serving/index.ts';
import { MemoryStore } from '../../lib/storage/index.ts';
import { type ServerDouble, startServerDouble } from '../lib/mlflow/server-double.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';

const RECORD = {
  age: 30,
  income: 50_000,
  education: 'PhD',
  product_category: 'Books',
  quarter: 1,
  month: 2,
  day_of_week: 3,
  hour: 12,
  is_weekend: false,
};

let folder = '';
let server: ServerDouble;
let onnx: Uint8Array;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-predict-'));
  process.env.LAKE_URI = join(folder, 'lake');
  const house = new Lakehouse(new MemoryStore());
  await house.all({ runId: 'r' });
  onnx = (await localModel(house.records, purchases.model.name, 'champion'))?.onnx ?? new Uint8Array();
  server = await startServerDouble();
  process.env.MLFLOW_TRACKING_URI = server.uri;
  server.versions.push({ version: '1', runId: '', modelId: 'm', tags: new Map(), description: '' });
  server.files.set('1/models/m/artifacts/model.onnx', Buffer.from(onnx));
  server.aliases.set('champion', '1');
});
afterAll(async () => {
  delete process.env.LAKE_URI;
  delete process.env.MLFLOW_TRACKING_URI;
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function scorer() {
  return { name: purchases.model.name, version: '1', ...ensembleScorer(fromOnnx(onnx)) };
}

describe('the function predict', () => {
  it('scores many records or one, with intervals, by the champion', async () => {
    const one = await handler({ record: RECORD });
    expect(one).toEqual({
      model: { name: 'purchase-amount', version: '1' },
      predictions: [{ predicted: expect.any(Number), lower: expect.any(Number), upper: expect.any(Number) }],
    });
    const many = await handler({ records: [{ ...RECORD, product_category: 'Electronics' }, RECORD] });
    const { predictions } = many as { predictions: { predicted: number; lower: number; upper: number }[] };
    expect(predictions).toHaveLength(2);
    expect(predictions[1]).toEqual((one as { predictions: unknown[] }).predictions[0]);
    for (const { predicted, lower, upper } of predictions) {
      expect(lower).toBeLessThanOrEqual(predicted);
      expect(upper).toBeGreaterThanOrEqual(predicted);
    }
    expect(await handler({ model: 'purchase-amount@1', record: RECORD })).toEqual(one);
  });

  it('tells of a category that the model does not know', async () => {
    expect(await handler({ record: { ...RECORD, education: 'None of ours' } })).toMatchObject({
      warnings: ['education: the model does not know "None of ours", which counts as missing'],
    });
  });

  it('says what the predictions are counted in, where the dataset declares it', async () => {
    expect(await answerPredict(scorer(), { record: RECORD }, 'EUR')).toMatchObject({ unit: 'EUR' });
    expect(await answerPredict(scorer(), { record: RECORD })).not.toHaveProperty('unit');
  });

  it.each<[string, object, string, RegExp]>([
    ['nothing', {}, 'EVENT_INVALID', /either record or records/],
    ['both', { record: RECORD, records: [RECORD] }, 'EVENT_INVALID', /either record or records/],
    ['no records', { records: [] }, 'EVENT_INVALID', /records/],
    ['too many records', { records: Array(10_001).fill(RECORD) }, 'EVENT_INVALID', /records/],
    ['a field that is none', { record: RECORD, recrods: [] }, 'EVENT_INVALID', /recrods/],
    ['a model without an alias', { record: RECORD, model: 'x' }, 'EVENT_INVALID', /NAME@ALIAS/],
    ['values that are lists', { records: [RECORD, { ...RECORD, age: [] }] }, 'EVENT_INVALID', /records\.1\.age/],
    ['an unknown field', { records: [RECORD, { ...RECORD, agee: 1 }] }, 'PREDICTION_INVALID', /Record 1 .*agee/],
    ['a missing field', { records: [RECORD, { age: 1 }] }, 'PREDICTION_INVALID', /Record 1 .*income is missing/],
    ['a wrong type', { record: { ...RECORD, age: 'old' } }, 'PREDICTION_INVALID', /Record 0 .*age is a number/],
    ['a number too large', { record: { ...RECORD, age: 1e39 } }, 'PREDICTION_INVALID', /Record 0 .*too large/],
    [
      'a model that is not there',
      { record: RECORD, model: 'purchase-amount@9' },
      'MODEL_NOT_FOUND',
      /purchase-amount@9/,
    ],
  ])('refuses %s', async (_, event, code, message) => {
    await expect(handler(event)).rejects.toMatchObject({
      name: `Lakelet.${code}`,
      message: expect.stringMatching(message),
    });
  });

  it('lists few of many faults', () => {
    const found = predictEvent.safeParse({ records: Array(10_000).fill({ age: [] }) });
    expect(found.success).toBe(false);
    return expect(handler({ records: Array(10_000).fill({ age: [] }) })).rejects.toThrow(/^.{0,1500}$/);
  });
});
