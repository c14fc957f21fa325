import { describe, expect, test } from '@jest/globals';
import type { FeatureColumn } from '../../../lib/forest/index.ts';
import type { Scorer } from '../../../lib/serving/index.ts';
import { openScorer } from '../../../lib/serving/scorer.ts';
import { type GraphInput, linearModel, mlmodel, weightBytes } from './onnx-graph.ts';

const AGE = { name: 'age', type: 'double', required: true };
const INCOME = { name: 'income', type: 'double', required: true };

function tensor(shape: readonly number[], dtype = 'float32', name?: string): object {
  return { type: 'tensor', 'tensor-spec': { dtype, shape }, ...(name !== undefined && { name }) };
}

function numbers(name: string, ...values: number[]): FeatureColumn {
  return { name, kind: 'numeric', values: Float64Array.from(values) };
}

function texts(name: string, ...values: (string | null)[]): FeatureColumn {
  const categories = [...new Set(values.filter((value) => value !== null))];
  const codes = Int32Array.from(values, (value) => (value === null ? -1 : categories.indexOf(value)));
  return { name, kind: 'categorical', categories, codes };
}

async function opened(
  onnx: Uint8Array,
  said: Uint8Array | undefined,
  more: Record<string, Uint8Array> = {},
): Promise<Scorer> {
  const files = new Map(Object.entries({ 'model.onnx': onnx, ...(said !== undefined && { MLmodel: said }), ...more }));
  const scorer = await openScorer(async (path) => files.get(path), 'theirs@1');
  if (scorer === undefined) throw new Error('There is a model');
  return scorer;
}

async function predicted(scorer: Scorer, ...columns: FeatureColumn[]): Promise<number[]> {
  return [...(await scorer.score(columns)).predicted];
}

const MATRIX: readonly GraphInput[] = [{ name: 'x', type: 'float', width: 2 }];

describe('a model of another maker', () => {
  test('takes the columns of its signature, in the order of the signature, wherever they stand', async () => {
    const scorer = await opened(linearModel(MATRIX, [2, -0.5]), mlmodel([AGE, INCOME]));
    expect(scorer.features).toEqual([
      { name: 'age', type: 'float', nullable: true },
      { name: 'income', type: 'float', nullable: true },
    ]);
    const [income, age] = [numbers('income', 10, 100), numbers('age', 1, 2)];
    expect(await predicted(scorer, income, age)).toEqual([2 - 5, 4 - 50]);
    expect(await predicted(scorer, age, numbers('other', 7, 7), income)).toEqual([2 - 5, 4 - 50]);
  });

  test.each<[string, Partial<GraphInput>]>([
    ['vectors', {}],
    ['columns of one', { width: 1 }],
  ])('takes inputs by their names, as %s, whatever the order of the signature', async (_, shape) => {
    const inputs: GraphInput[] = [
      { name: 'income', type: 'float', ...shape },
      { name: 'city', type: 'string', ...shape },
      { name: 'count', type: 'int64', ...shape },
      { name: 'old', type: 'bool', ...shape },
      { name: 'exact', type: 'double', ...shape },
      { name: 'small', type: 'int32', ...shape },
    ];
    const scorer = await opened(
      linearModel(inputs, [1, 1, 100, 1000, 1, 1]),
      mlmodel([
        { name: 'city', type: 'string' },
        { name: 'old', type: 'boolean' },
        { name: 'income', type: 'float' },
        { name: 'small', type: 'integer' },
        { name: 'count', type: 'long' },
        { name: 'exact', type: 'double' },
      ]),
    );
    const columns = [
      texts('city', 'B', 'A', 'elsewhere'),
      numbers('old', 1, 0, 1),
      numbers('income', 0.5, 0.5, 0.5),
      numbers('small', 0, 1, 2),
      numbers('count', 1, 2, 3),
      numbers('exact', 0, 0, 0.25),
    ];
    expect(await predicted(scorer, ...columns)).toEqual([1120.5, 211.5, 1301.75]);
  });

  test('calls the columns of a tensor by their places, or as its metadata does', async () => {
    const onnx = linearModel(MATRIX, [2, -0.5]);
    const placed = await opened(onnx, mlmodel([tensor([-1, 2])]));
    expect(placed.features.map(({ name }) => name)).toEqual(['x[0]', 'x[1]']);
    expect(await predicted(placed, numbers('x[1]', 10), numbers('x[0]', 1))).toEqual([-3]);
    const named = await opened(
      onnx,
      mlmodel([tensor([-1, 2])], { metadata: { lakelet: { features: ['age', 'income'] } } }),
    );
    expect(await predicted(named, numbers('income', 10), numbers('age', 1))).toEqual([-3]);
  });

  test('has more rows than the runtime is given at once', async () => {
    const scorer = await opened(linearModel(MATRIX, [1, 1]), mlmodel([AGE, INCOME]));
    const many = Float64Array.from({ length: 40_000 }, (_, row) => row);
    const { predicted: sums } = await scorer.score([
      { name: 'age', kind: 'numeric', values: many },
      { name: 'income', kind: 'numeric', values: many },
    ]);
    expect(sums.findIndex((sum, row) => sum !== 2 * row)).toBe(-1);
  });

  test('is asked by many at once', async () => {
    const scorer = await opened(linearModel(MATRIX, [2, -0.5]), mlmodel([AGE, INCOME]));
    const asked = Array.from({ length: 20 }, (_, at) => predicted(scorer, numbers('age', at), numbers('income', 0)));
    expect((await Promise.all(asked)).flat()).toEqual(Array.from({ length: 20 }, (_, at) => 2 * at));
  });

  test('keeps large tensors in a file beside it', async () => {
    const onnx = linearModel(MATRIX, [2, -0.5], { external: 'weights.bin' });
    const said = mlmodel([AGE, INCOME]);
    const scorer = await opened(onnx, said, { 'weights.bin': weightBytes([3, 1]) });
    expect(await predicted(scorer, numbers('age', 1), numbers('income', 10))).toEqual([13]);
    await expect(opened(onnx, said)).rejects.toThrow(/weights\.bin is missing/);
    for (const path of ['../weights.bin', '/etc/passwd', 'a/b']) {
      const elsewhere = linearModel(MATRIX, [1, 1], { external: path });
      await expect(opened(elsewhere, said, { [path]: weightBytes([1, 1]) })).rejects.toThrow(/not in its folder/);
    }
  });

  test.each<[string, FeatureColumn, RegExp]>([
    ['a missing whole number', numbers('count', 1, Number.NaN), /Record 1 .*count is not known/],
    [
      'a fraction for a whole number',
      numbers('count', 1, 1.5),
      /Record 1 .*count is 1\.5, and has to be a whole number/,
    ],
    ['a whole number that floats do not tell apart', numbers('count', 2 ** 53, 1), /Record 0 .*count/],
    ['numbers for text', numbers('city', 1, 2), /city is numeric, and the model takes string/],
    ['missing text', texts('city', 'A', null), /Record 1 .*city is not known/],
    ['what is neither true nor false', numbers('old', 2, 0), /Record 0 .*old is 2, and has to be true or false/],
    ['a number beyond 32-bit floats', numbers('income', 0, 1e39), /Record 1 .*income is too large/],
    ['a missing number that it has no answer to', numbers('income', 0, Number.NaN), /Record 1 .*answers NaN/],
  ])('refuses %s', async (_, wrong, message) => {
    const inputs: GraphInput[] = [
      { name: 'income', type: 'float' },
      { name: 'city', type: 'string' },
      { name: 'count', type: 'int64' },
      { name: 'old', type: 'bool' },
    ];
    const said = [
      { name: 'income', type: 'double' },
      { name: 'city', type: 'string' },
      { name: 'count', type: 'long' },
      { name: 'old', type: 'boolean' },
    ];
    const scorer = await opened(linearModel(inputs, [1, 1, 1, 1]), mlmodel(said));
    const right = [numbers('income', 1, 1), texts('city', 'A', 'A'), numbers('count', 1, 1), numbers('old', 1, 1)];
    expect(await predicted(scorer, ...right)).toEqual([13, 13]);
    const columns = right.map((column) => (column.name === wrong.name ? wrong : column));
    await expect(scorer.score(columns)).rejects.toMatchObject({
      code: 'PREDICTION_INVALID',
      message: expect.stringMatching(message),
    });
    await expect(scorer.score(right.filter(({ name }) => name !== wrong.name))).rejects.toThrow(/needs a column/);
  });
});

describe('what could exchange columns is refused', () => {
  const two: GraphInput[] = [
    { name: 'a', type: 'float' },
    { name: 'b', type: 'float' },
  ];
  const a = { name: 'a', type: 'double' };
  const b = { name: 'b', type: 'double' };
  test.each<[string, readonly GraphInput[], unknown, RegExp]>([
    ['fewer columns than the graph takes', MATRIX, [a], /shape \[-1, 2\].* makes \[-1, 1\]/],
    ['more columns than the graph takes', MATRIX, [a, b, INCOME], /makes \[-1, 3\]/],
    ['inputs of other names', two, [a, INCOME], /names a, income, and its graph takes a, b/],
    ['an input too few', two, [a], /names a, and/],
    ['a column twice', MATRIX, [a, a], /two columns called a/],
    ['text for numbers', MATRIX, [a, { name: 'b', type: 'string' }], /b is string, and its graph takes float32/],
    ['a date', MATRIX, [a, { name: 'b', type: 'datetime' }], /b is datetime/],
    [
      'floats for whole numbers',
      [{ name: 'a', type: 'int64', width: 1 }],
      [a],
      /a is double, and its graph takes int64/,
    ],
    ['a tensor of another width', MATRIX, [tensor([-1, 3])], /makes \[-1, 3\]/],
    ['a tensor of another type', MATRIX, [tensor([-1, 2], 'int64')], /is long, and its graph takes float32/],
    ['a tensor of another name', MATRIX, [tensor([-1, 2], 'float32', 'z')], /names z, and its graph takes x/],
    ['a tensor of pictures', MATRIX, [tensor([-1, 2, 2])], /shape \[-1, 2, 2\]/],
    ['a tensor of any width', MATRIX, [tensor([-1, -1])], /shape \[-1, -1\]/],
    ['tensors without names', two, [tensor([-1, 1]), tensor([-1, 1])], /names , , and/],
    ['tensors and columns', MATRIX, [tensor([-1, 1]), a], /both tensors and columns|no signature/],
    ['no input at all', MATRIX, [], /no signature/],
  ])('%s', async (_, inputs, said, message) => {
    const onnx = linearModel(
      inputs,
      inputs.flatMap(({ width = 1 }) => Array.from({ length: width }, () => 1)),
    );
    await expect(opened(onnx, mlmodel(said))).rejects.toMatchObject({
      code: 'MODEL_UNSUITABLE',
      message: expect.stringMatching(message),
    });
  });

  test('names in the metadata that are too few', async () => {
    const said = mlmodel([tensor([-1, 2])], { metadata: { lakelet: { features: ['age'] } } });
    await expect(opened(linearModel(MATRIX, [1, 1]), said)).rejects.toThrow(/names 1 columns of a tensor that has 2/);
  });
});

describe('a folder that holds no model to be served is refused', () => {
  const onnx = linearModel(MATRIX, [1, 1]);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  test.each<[string, Uint8Array, Uint8Array | undefined, RegExp]>([
    ['without MLmodel', onnx, undefined, /no file MLmodel/],
    ['of another flavor', onnx, encode('flavors:\n  sklearn: {}\n'), /flavors sklearn and not onnx/],
    ['without a signature', onnx, encode('flavors:\n  onnx:\n    data: model.onnx\n'), /no signature/],
    ['with an MLmodel that is no YAML', onnx, encode('a: [}'), /no YAML/],
    ['with an MLmodel of something else', onnx, encode('- 1'), /not as MLflow writes it/],
    [
      'with two outputs',
      linearModel(MATRIX, [1, 1], { outputs: ['y', 'z'] }),
      mlmodel([AGE, INCOME]),
      /gives y \(float32\), z/,
    ],
    ['whose file is none', encode('no model'), mlmodel([AGE, INCOME]), /no ONNX model|can't load it/],
    ['whose file is cut off', onnx.subarray(0, 100), mlmodel([AGE, INCOME]), /no ONNX model|can't load it/],
  ])('%s', async (_, bytes, said, message) => {
    await expect(opened(bytes, said)).rejects.toMatchObject({
      code: 'MODEL_UNSUITABLE',
      message: expect.stringMatching(message),
    });
  });
});
