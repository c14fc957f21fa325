import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromOnnx } from '../../../lib/forest/index.ts';
import { localModel } from '../../../lib/mlflow/index.ts';
import { recordsOf } from '../../../lib/pipeline/context.ts';
import { ApiLake, apiLake } from './lake.ts';

const lake = apiLake();
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

async function scores(...records: object[]): Promise<number[]> {
  const { status, body } = await lake().post('/predictions', { records });
  expect(status).toBe(200);
  return (body as { predictions: number[] }).predictions;
}

describe('POST /predictions', () => {
  test('scores with the champion, in the order of the records, as the model does itself', async () => {
    const categories = ['Books', 'Electronics', 'Clothing', 'Books'];
    const { body } = await lake().post('/predictions', {
      records: categories.map((product_category) => ({ ...RECORD, product_category })),
    });
    const found = await localModel(recordsOf(lake().config), 'purchase-amount', 'champion');
    const forest = fromOnnx(found?.onnx ?? new Uint8Array());
    const matrix = categories.flatMap((category) =>
      forest.features.map((feature) => {
        const value = { ...RECORD, product_category: category }[feature.name as keyof typeof RECORD];
        return feature.kind === 'numeric' ? Number(value) : feature.categories.indexOf(String(value));
      }),
    );
    const { lower, upper } = forest.predictIntervals(Float32Array.from(matrix));
    expect(body).toEqual({
      model: { name: 'purchase-amount', version: '1' },
      predictions: [...forest.predictMatrix(Float32Array.from(matrix))],
      lower: [...lower],
      upper: [...upper],
    });
    const [first, second, , fourth] = (body as { predictions: number[] }).predictions;
    expect(first).toBe(fourth);
    expect(first).not.toBe(second);
  });

  test('takes a category that training has not seen as one that is not known, and true as 1', async () => {
    const [unseen, missing] = await scores({ ...RECORD, education: 'None of ours' }, { ...RECORD, education: null });
    expect(unseen).toBe(missing);
    const [yes, one] = await scores({ ...RECORD, is_weekend: true }, { ...RECORD, is_weekend: 1 });
    expect(yes).toBe(one);
    expect(Number.isFinite((await scores({ ...RECORD, age: null, income: null }))[0])).toBe(true);
  });

  test('tells which categories the model does not know', async () => {
    const { body } = await lake().post('/predictions', { records: [{ ...RECORD, education: 'None of ours' }, RECORD] });
    expect(body).toMatchObject({
      warnings: [expect.stringContaining('education: the model does not know "None of ours"')],
    });
  });

  test.each([
    ['a feature that is missing', { ...RECORD, age: undefined }, /Record 1 .*age is missing/],
    ['a field that is no feature', { ...RECORD, agee: 1 }, /Record 1 .*agee is no feature/],
    ['text for a number', { ...RECORD, age: '30' }, /Record 1 .*age is a number/],
    ['a number for a category', { ...RECORD, education: 3 }, /Record 1 .*education is a category/],
    ['a number beyond 32-bit floats', { ...RECORD, income: 1e300 }, /Record 1 .*income is too large/],
    [
      'a feature that an object only inherits',
      { ...RECORD, hour: undefined, constructor: 1 },
      /constructor is no feature/,
    ],
  ])('refuses %s, by record and feature', async (_, record, message) => {
    expect(await lake().post('/predictions', { records: [RECORD, record] })).toMatchObject({
      status: 400,
      body: { error: { code: 'PREDICTION_INVALID', message: expect.stringMatching(message) } },
    });
  });

  test.each([
    ['no records', { records: [] }],
    ['too many', { records: Array.from({ length: 10_001 }, () => RECORD) }],
    ['records that are none', { records: [1] }],
    ['values that are lists', { records: [{ ...RECORD, age: [1] }] }],
    ['a model without an alias', { records: [RECORD], model: 'purchase-amount' }],
    ['a model that is a path', { records: [RECORD], model: '../x@champion' }],
  ])('refuses %s', async (_, body) => {
    expect(await lake().post('/predictions', body)).toMatchObject({
      status: 400,
      body: { error: { code: 'REQUEST_INVALID' } },
    });
  });

  test('finds a model by its version, and says where there is none', async () => {
    const asked = (model: string) => lake().post('/predictions', { records: [RECORD], model });
    expect(await asked('purchase-amount@1')).toMatchObject({ status: 200, body: { model: { version: '1' } } });
    for (const model of ['purchase-amount@2', 'purchase-amount@challenger', 'other@champion']) {
      expect(await asked(model)).toMatchObject({ status: 404, body: { error: { code: 'MODEL_NOT_FOUND' } } });
    }
  });
});

describe('a lake without a model', () => {
  let empty: ApiLake;
  beforeAll(() => {
    empty = new ApiLake();
  });
  afterAll(() => empty.remove());

  test('says so', async () => {
    expect(await empty.post('/predictions', { records: [RECORD] })).toMatchObject({ status: 404 });
    expect(await empty.get('/health')).toMatchObject({ status: 200 });
    expect(await empty.get('/tables')).toEqual({ status: 200, body: { tables: [] } });
  });
});
