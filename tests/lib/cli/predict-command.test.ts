import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { purchases } from '../../../datasets/purchases/index.ts';
import { DEFAULT_MODEL } from '../../../lib/cli/predict-command.ts';
import { type FeatureColumn, toOnnx, trainBoosting } from '../../../lib/forest/index.ts';
import { linearModel, mlmodel } from '../serving/onnx-graph.ts';
import { type Answer, lakelet, objects } from './lakelet.ts';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-predict-'));
  model = join(folder, 'model.onnx');
  // What it answers is 10 a and 100 for the code 2.50, with steps as fine as the rows that it learns from.
  const rows = Array.from({ length: 400 }, (_, at) => at);
  const columns: FeatureColumn[] = [
    { name: 'a', kind: 'numeric', values: Float64Array.from(rows, (at) => at % 10) },
    {
      name: 'code',
      kind: 'categorical',
      categories: ['1.50', '2.50'],
      codes: Int32Array.from(rows, (at) => (at >> 4) % 2),
    },
    { name: 'day', kind: 'numeric', values: Float64Array.from(rows, () => 19_723) },
    { name: 'on', kind: 'numeric', values: Float64Array.from(rows, () => 1) },
  ];
  const target = Float64Array.from(rows, (at) => 10 * (at % 10) + 100 * ((at >> 4) % 2));
  const options = { nEstimators: 200, minSamplesLeaf: 1, nJobs: 1 };
  const ensemble = await trainBoosting({ columns, target }, options);
  const intervals = { coverage: 0.9, rows: 9, by: 'predicted', edges: [], lower: [-1], upper: [2] } as const;
  await writeFile(model, toOnnx(ensemble.withIntervals(intervals)));
  await writeFile(join(folder, 'plain.onnx'), toOnnx(ensemble));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const CSV = 'id,a,code,day,on\nx,3,2.50,2024-01-01,true\ny,5,1.50,2024-01-01,true\n';

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Runs `lakelet predict` with the model of these tests. */
function predict(argv: readonly string[], input?: string): Promise<Answer> {
  const stream = new PassThrough();
  stream.end(input ?? '');
  return lakelet(['predict', '--model', model, ...argv], undefined, stream);
}

/** What was predicted, in whole numbers. */
async function predicted(argv: readonly string[], input?: string): Promise<unknown[]> {
  const answer = await predict([...argv, '--format', 'json'], input);
  expect(answer).toMatchObject({ code: 0 });
  return objects(answer).map((row) => Math.round(Number(row.predicted)));
}

describe('lakelet predict', () => {
  it('answers one object a line, with the interval and what is to be kept', async () => {
    const answer = await predict([await file('a.csv', CSV), '--keep', 'id,a', '--format', 'json']);
    expect(answer).toMatchObject({ code: 0, err: '' });
    const rows = objects(answer);
    expect(rows.map((row) => Object.keys(row))).toEqual(Array(2).fill(['id', 'a', 'predicted', 'lower', 'upper']));
    expect(rows.map(({ id, a, predicted }) => [id, a, Math.round(Number(predicted))])).toEqual([
      ['x', 3, 130],
      ['y', 5, 50],
    ]);
    for (const { predicted, lower, upper } of rows) {
      expect([Number(lower), Number(upper)]).toEqual([Number(predicted) - 1, Number(predicted) + 2]);
    }
  });

  it('reads CSV, JSON lines, a JSON array and Parquet, from files and standard input, alike', async () => {
    const records = [
      { a: 3, code: '2.50', day: '2024-01-01', on: true, other: [1] },
      { on: true, day: '2024-01-01', code: '1.50', a: 5, other: null },
    ];
    const lines = records.map((record) => JSON.stringify(record)).join('\n');
    const array = JSON.stringify(records, undefined, 2);
    const parquet = join(folder, 'a.parquet');
    const written = await lakelet([
      'query',
      `FROM (VALUES (3, '2.50', DATE '2024-01-01', true), (5, '1.50', DATE '2024-01-01', true)) AS t(a, code, day, "on")`,
      '--format',
      'parquet',
      '--output',
      parquet,
    ]);
    expect(written).toMatchObject({ code: 0 });
    for (const source of [
      await file('b.csv', CSV),
      await file('b.jsonl', lines),
      await file('b.json', array),
      parquet,
    ]) {
      expect([source, await predicted([source])]).toEqual([source, [130, 50]]);
    }
    for (const input of [CSV, lines, array, `\n ${lines}\n`]) expect(await predicted([], input)).toEqual([130, 50]);
    expect(await predicted(['-'], lines)).toEqual([130, 50]);
    expect(await predicted([`SELECT 3 AS a, '2.50' AS code, DATE '2024-01-01' AS day, 1 AS "on"`])).toEqual([130]);
  });

  it('takes categories as the text that stands there, and numbers from text', async () => {
    // A reader alone would take 2.50 for 2.5, and so for a category that the model does not know.
    expect(await predicted([], 'a,code,day,on\n3,2.50,2024-01-01,1\n3,1.50,2024-01-01,1\n')).toEqual([130, 30]);
    const texts = { code: '2.50', day: '2024-01-01', on: 'TRUE' };
    expect(
      await predicted(
        [],
        JSON.stringify([
          { a: ' 3 ', ...texts },
          { a: '3.0', ...texts },
        ]),
      ),
    ).toEqual([130, 130]);
  });

  it('takes what is missing or empty for not known, and tells of categories that are not', async () => {
    const answer = await predict(['--format', 'json'], 'a,code,day,on\n3,,,\n3,99,,\n');
    expect(answer).toMatchObject({
      code: 0,
      err: 'warning code: the model does not know "99", which counts as missing\n',
    });
    const [missing, unseen] = objects(answer);
    expect(missing).toEqual(unseen);
  });

  it('keeps the order of many records, which are scored in batches', async () => {
    const sql = `SELECT (i % 10)::DOUBLE AS a, '1.50' AS code, 19723 AS day, 1 AS "on", i AS n FROM range(300000) t(i)`;
    const output = join(folder, 'many.csv');
    const answer = await predict([sql, '--keep', 'n', '--format', 'csv', '--output', output]);
    expect(answer).toMatchObject({ code: 0, out: '' });
    const lines = (await readFile(output, 'utf8')).trimEnd().split('\n').slice(1);
    expect(lines).toHaveLength(300_000);
    const wrong = lines.findIndex((line, at) => {
      const [n, value] = line.split(',');
      return Number(n) !== at || Math.round(Number(value)) !== 10 * (at % 10);
    });
    expect(wrong).toBe(-1);
  });

  it('writes a table, CSV and Parquet, and no interval of a model that has none', async () => {
    const source = await file('c.csv', CSV);
    const plain = ['--model', join(folder, 'plain.onnx'), '--keep', 'id'];
    expect((await predict([source, ...plain, '--format', 'csv'])).out).toMatch(/^id,predicted\nx,1[23]\d\S*\ny,\d/);
    expect((await predict([source, ...plain])).out).toMatch(/^id +predicted\n─/);
    const output = join(folder, 'c.parquet');
    expect(await predict([source, ...plain, '--format', 'parquet', '--output', output])).toMatchObject({
      code: 0,
      out: '',
    });
    expect((await lakelet(['query', `DESCRIBE FROM read_parquet('${output}')`, '--format', 'csv'])).code).not.toBe(2);
  });

  it('asks a model of another maker with its folder', async () => {
    const theirs = join(folder, 'theirs.onnx');
    await writeFile(theirs, linearModel([{ name: 'x', type: 'float', width: 2 }], [1, 10]));
    const unsaid = await predict(['--model', theirs], CSV);
    expect(unsaid).toMatchObject({ code: 1, err: expect.stringMatching(/^error MODEL_UNSUITABLE: .*no file MLmodel/) });
    await writeFile(
      join(folder, 'MLmodel'),
      mlmodel([
        { name: 'on', type: 'boolean' },
        { name: 'a', type: 'double' },
      ]),
    );
    expect(await predicted(['--model', theirs], CSV)).toEqual([31, 51]);
    const answer = await predict(['--model', theirs], 'a,on\n1,true\n2,\n');
    expect(answer).toMatchObject({ code: 1, err: expect.stringMatching(/Record 2 .*on is not known/) });
  });

  it('ends well where there is nothing to score', async () => {
    expect(await predict(['--format', 'json'], 'a,code,day,on\n')).toEqual({ code: 0, out: '', err: '' });
  });

  it.each<[string, string, RegExp]>([
    ['nothing', ' \n', /^error SOURCE_EMPTY/],
    [
      'a column that is missing',
      'a,code,day\n1,2,3\n',
      /^error PREDICT_COLUMN_MISSING: .* on is not there; .*a, code, day/,
    ],
    ['text for a number', 'a,code,day,on\n1,01,,1\nmany,01,,1\n', /^error PREDICTION_INVALID: Record 2 .*a is "many"/],
    ['a number too large', 'a,code,day,on\n1e39,01,,1\n', /^error PREDICTION_INVALID: Record 1 .*too large/],
    [
      'a list for a number',
      '{"a": [1], "code": "1", "day": 1, "on": 1}',
      /^error PREDICT_COLUMN_INVALID: .* a is BIGINT\[\]/,
    ],
    ['JSON that breaks off', '{"a": 1}\n{"a": 2}\n{"a": \n', /^error \w+: .*line [34]/],
  ])('refuses %s, in one line', async (_, input, message) => {
    const answer = await predict(['--format', 'json'], input);
    expect(answer).toMatchObject({ code: 1, out: '', err: expect.stringMatching(message) });
    expect(answer.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['a file that is not there', ['nothing.csv'], 1, /SOURCE_NOT_FOUND/],
    ['a model that is not there', ['--model', 'nothing.onnx'], 1, /MODEL_NOT_FOUND/],
    ['a model without an alias', ['--model', 'x'], 1, /MODEL_NOT_FOUND/],
    ['a file that is no model', ['--model', 'package.json.onnx'], 1, /MODEL_NOT_FOUND/],
    ['a column to keep that is not there', ['--keep', 'b'], 1, /PREDICT_COLUMN_MISSING: The column to keep b/],
    ['two columns of one name', ['--keep', 'Predicted'], 1, /PREDICT_COLUMN_INVALID/],
    ['Parquet without a file', ['--format', 'parquet'], 2, /--output FILE/],
    ['an output that can not be written', ['--output', '/nowhere/x.csv', '--format', 'csv'], 1, /OUTPUT_FAILED/],
  ])('refuses %s', async (_, argv, code, message) => {
    expect(await predict(argv, CSV)).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
  });

  it('wants records where standard input is a terminal', async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    expect(await lakelet(['predict'], undefined, terminal)).toMatchObject({
      code: 2,
      err: expect.stringContaining('standard input'),
    });
  });

  it('asks the champion of the default dataset where none is named', () => {
    expect(DEFAULT_MODEL).toBe(`${purchases.model.name}@champion`);
  });

  it('is stopped by its signal', async () => {
    const stop = new AbortController();
    const waiting = lakelet(['predict', '--model', model], stop.signal, new PassThrough());
    setTimeout(() => stop.abort(), 50);
    expect(await waiting).toMatchObject({ code: 1, err: expect.stringContaining('INTERRUPTED') });
  });
});
