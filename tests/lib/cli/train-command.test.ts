import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FeatureColumn, fromOnnx } from '../../../lib/forest/index.ts';
import { onProgress } from '../../../lib/progress.ts';
import { type Answer, lakelet, objects } from './lakelet.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-train-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** 300 rows whose y is 10 a (by the kind: + 0, 100 or 200), as SQL; the kind is missing here and there. */
const ROWS = `SELECT (i * 7 % 50)::DOUBLE AS a, CASE WHEN i % 25 <> 0 THEN 'k' || i % 3 END AS kind, i % 2 = 0 AS even,
  DATE '2024-01-01' + (i * 11 % 300)::INTEGER AS day, 10 * a + 100 * (i % 3) AS y FROM range(300) t(i)`;

/** Runs `lakelet train` with few trees; the model goes to the test's folder. */
function train(source: string, ...options: string[]): Promise<Answer> {
  return lakelet(['train', source, '--output', join(folder, 'model.onnx'), '--jobs', '1', '--trees', '20', ...options]);
}

/** The one object that a training printed. */
async function told(source: string, ...options: string[]): Promise<Record<string, unknown>> {
  const answer = await train(source, ...options);
  expect(answer).toMatchObject({ code: 0 });
  const [object, ...more] = objects(answer);
  expect(more).toEqual([]);
  return object ?? {};
}

describe('lakelet train', () => {
  it('writes a model and tells on one line how it did on the held-out fifth', async () => {
    const result = await told(ROWS, '--target', 'y');
    expect(result).toMatchObject({
      rows: 240,
      heldOut: 60,
      leftOut: 0,
      trees: 20,
      algorithm: 'forest',
      target: 'y',
      features: ['a', 'kind', 'even', 'day'],
      output: join(folder, 'model.onnx'),
    });
    for (const name of ['r2', 'mae', 'rmse', 'seconds']) expect(result[name]).toEqual(expect.any(Number));
    expect(Number(result.r2)).toBeGreaterThan(0.9);
    const model = fromOnnx(await readFile(join(folder, 'model.onnx')));
    expect(model.features.map(({ name, kind }) => [name, kind])).toEqual([
      ['a', 'numeric'],
      ['kind', 'categorical'],
      ['even', 'numeric'],
      ['day', 'numeric'],
    ]);
    expect(await readdir(folder)).toEqual(['model.onnx']);
  });

  it('gives the same model for the same seed, and another for another', async () => {
    const bytes = async (seed: string): Promise<Buffer> => {
      await told(ROWS, '--target', 'y', '--seed', seed);
      return readFile(join(folder, 'model.onnx'));
    };
    const first = await bytes('1');
    expect(await bytes('1')).toEqual(first);
    expect(await bytes('2')).not.toEqual(first);
  });

  it('takes dates as days, booleans as 1 and 0, and decimals and big integers as numbers', async () => {
    await told(
      `SELECT d, b, n, h, 1000 * epoch(d) / 86400 AS y FROM (SELECT TIMESTAMP '2024-01-01 12:00' + to_days(i::INTEGER % 9) AS d,
        i % 2 = 0 AS b, (i / 7)::DECIMAL(9, 3) AS n, i::HUGEINT AS h FROM range(100) t(i))`,
      '--target',
      'y',
      '--no-bootstrap',
      '--max-features',
      '1',
    );
    const model = fromOnnx(await readFile(join(folder, 'model.onnx')));
    const at = (day: number): FeatureColumn[] =>
      Object.entries({ d: day, b: 1, n: 1, h: 1 }).map(([name, value]) => ({
        name,
        kind: 'numeric',
        values: Float64Array.of(value),
      }));
    const days = Date.UTC(2024, 0, 4, 12) / 86_400_000;
    expect(model.predict(at(days))[0]).toBeCloseTo(1000 * days, -1);
  });

  it('learns from the features that are named, in their order', async () => {
    expect((await told(ROWS, '--target', 'y', '--features', 'kind,a')).features).toEqual(['kind', 'a']);
  });

  it.each(['csv', 'json', 'parquet'])('reads a %s file', async (ending) => {
    const file = join(folder, `rows.${ending}`);
    const answer = await lakelet(['query', ROWS, '--format', ending, '--output', file]);
    expect(answer.code).toBe(0);
    expect(await told(file, '--target', 'y')).toMatchObject({ rows: 240, features: ['a', 'kind', 'even', 'day'] });
  });

  it('boosts trees by options of their own', async () => {
    const argv = ['--target', 'y', '--algorithm', 'boosting', '--learning-rate', '0.3', '--max-leaf-nodes', '8'];
    const result = await told(
      ROWS,
      ...argv,
      '--min-samples-leaf',
      '2',
      '--l2-regularization',
      '0.5',
      '--early-stopping',
    );
    expect(result).toMatchObject({ algorithm: 'boosting', rows: 240 });
    expect(Number(result.r2)).toBeGreaterThan(0.8);
    expect(fromOnnx(await readFile(join(folder, 'model.onnx'))).algorithm).toBe('boosting');
  });

  it.each([
    ['--learning-rate', ['--learning-rate', '0.3']],
    ['--early-stopping', ['--early-stopping']],
    ['--no-bootstrap', ['--no-bootstrap', '--algorithm', 'boosting']],
  ])('takes %s for wrong usage where the algorithm has no such option', async (flag, argv) => {
    const { code, err } = await train(ROWS, '--target', 'y', ...argv);
    expect(code).toBe(2);
    expect(err).toContain(`option '${flag}' is of --algorithm`);
  });

  it('scores a forest on the rows its trees left out, and gives it intervals', async () => {
    const result = await told(ROWS, '--target', 'y', '--oob-score', '--max-samples', '0.5');
    expect(result).toMatchObject({
      outOfBag: { r2: expect.any(Number) },
      intervals: { level: 0.9, coverage: expect.any(Number), meanWidth: expect.any(Number) },
    });
    expect(fromOnnx(await readFile(join(folder, 'model.onnx'))).intervals?.coverage).toBe(0.9);
  });

  it('predicts medians and quantiles', async () => {
    const sql = `SELECT 1 AS a, CASE WHEN i % 10 = 0 THEN 1000 ELSE i % 10 END AS y FROM range(500) t(i)`;
    const predicted = async (...options: string[]): Promise<number> => {
      await told(sql, '--target', 'y', ...options);
      const a: FeatureColumn = { name: 'a', kind: 'numeric', values: Float64Array.of(1) };
      return fromOnnx(await readFile(join(folder, 'model.onnx'))).predict([a])[0] ?? Number.NaN;
    };
    expect(await predicted()).toBeGreaterThan(50);
    expect(Math.abs((await predicted('--criterion', 'absolute_error')) - 5)).toBeLessThan(2);
    expect(await predicted('--criterion', 'quantile', '--quantile', '0.97')).toBeGreaterThan(900);
    expect((await train(sql, '--target', 'y', '--criterion', 'quantile')).err).toContain('error FOREST_INVALID_OPTION');
  });

  it('leaves rows without a target out, and counts them', async () => {
    const sql = `SELECT a, CASE WHEN a < 5 THEN NULL WHEN a < 10 THEN 'NaN'::DOUBLE ELSE y END AS y FROM (${ROWS})`;
    expect(await told(sql, '--target', 'y')).toMatchObject({ leftOut: 60, rows: 192, heldOut: 48 });
  });

  it('weighs rows by a column, which is then no feature', async () => {
    const sql = `SELECT i % 2 AS a, CASE WHEN i < 200 THEN 1 ELSE 0 END AS w, CASE WHEN i < 200 THEN 5 ELSE 1000 END AS y FROM range(400) t(i)`;
    const { features } = await told(sql, '--target', 'y', '--weight', 'w');
    expect(features).toEqual(['a']);
    const model = fromOnnx(await readFile(join(folder, 'model.onnx')));
    const a: FeatureColumn = { name: 'a', kind: 'numeric', values: Float64Array.of(0, 1) };
    expect([...model.predict([a])]).toEqual([5, 5]);
  });

  it('holds the latest rows out by --split time, and whole groups by --split group', async () => {
    const later = `SELECT i AS day, i % 7 AS a, CASE WHEN i < 240 THEN 1.5 ELSE 100 END AS y FROM range(300) t(i)`;
    // All that it learns from is 1.5, all that it is scored on 100.
    expect(await told(later, '--target', 'y', '--split', 'time:day')).toMatchObject({ mae: 98.5, features: ['a'] });
    const owned = `SELECT 'c' || i % 40 AS owner, i % 7 AS a, i AS y FROM range(400) t(i)`;
    const { rows, heldOut, features } = await told(owned, '--target', 'y', '--split', 'group:owner');
    expect([Number(rows) % 10, Number(heldOut) % 10, features]).toEqual([0, 0, ['a']]);
    const { code, err } = await train(owned, '--target', 'y', '--split', 'time:owner');
    expect([code, err]).toEqual([1, expect.stringContaining('owner is text')]);
  });

  it('cross-validates', async () => {
    const { cv } = await told(ROWS, '--target', 'y', '--cv', '3');
    expect(cv).toMatchObject({
      folds: 3,
      mean: { r2: expect.any(Number) },
      standardDeviation: { rmse: expect.any(Number) },
    });
  });

  it.each([2, 3, 4])('works with %d rows', async (rows) => {
    const result = await told(`SELECT i AS a, i AS y FROM range(${rows}) t(i)`, '--target', 'y');
    expect(result).toMatchObject({ rows: rows - 1, heldOut: 1, r2: 'NaN' });
  });

  it('learns nothing from a constant target, a feature without values, or ten thousand categories', async () => {
    expect(await told(`SELECT i AS a, 3.5 AS y FROM range(100) t(i)`, '--target', 'y')).toMatchObject({
      r2: 1,
      mae: 0,
    });
    const empty = `SELECT NULL::DOUBLE AS a, NULL::VARCHAR AS b, i % 2 AS y FROM range(100) t(i)`;
    expect(await told(empty, '--target', 'y')).toMatchObject({ importances: { a: 0, b: 0 } });
    const names = `SELECT 'n' || i % 10000 AS a, i % 10000 AS y FROM range(60000) t(i)`;
    const { r2 } = await told(names, '--target', 'y', '--trees', '5', '--max-features', '1');
    expect(Number(r2)).toBeGreaterThan(0.9);
  });

  it.each([
    ['no rows', `SELECT 1 AS a, 1 AS y WHERE false`, 'TRAIN_NO_ROWS', 'There are no rows;'],
    ['one row', `SELECT 1 AS a, 1 AS y`, 'TRAIN_NO_ROWS', 'Of 1 rows, 1 have a target;'],
    ['no targets', `SELECT 1 AS a, NULL::INTEGER AS y FROM range(9)`, 'TRAIN_NO_ROWS', 'Of 9 rows, 0 have a target;'],
    ['a target of text', `SELECT 1 AS a, 'x' AS y FROM range(9)`, 'TRAIN_COLUMN_INVALID', 'The target y is VARCHAR'],
    ['no target', `SELECT 1 AS a, 2 AS b`, 'TRAIN_COLUMN_MISSING', 'The target y is not there; there are a, b.'],
    ['no feature', `SELECT 1 AS y FROM range(9)`, 'TRAIN_COLUMN_MISSING', 'There is no column to learn from'],
    [
      'an infinite target',
      `SELECT i AS a, CASE i WHEN 6 THEN '-Infinity'::DOUBLE ELSE 1 END AS y FROM range(9) t(i)`,
      'TRAIN_COLUMN_INVALID',
      'The column y holds -inf in row 7,',
    ],
    [
      'a feature beyond 32 bits',
      `SELECT CASE i WHEN 3 THEN 1e39 WHEN 1 THEN 'NaN'::DOUBLE ELSE 1 END AS a, 1 AS y FROM range(9) t(i)`,
      'TRAIN_COLUMN_INVALID',
      'The column a holds 1e+39 in row 4,',
    ],
    ['a list', `SELECT [1] AS l, 1 AS y FROM range(9)`, 'TRAIN_COLUMN_INVALID', 'The feature l is INTEGER[]'],
    ['a struct', `SELECT {'a': 1} AS s, 1 AS y FROM range(9)`, 'TRAIN_COLUMN_INVALID', 'The feature s is STRUCT'],
  ])('refuses %s by one clear error', async (_, sql, code, message) => {
    const answer = await train(sql, '--target', 'y');
    expect(answer.code).toBe(1);
    const errors = answer.err.split('\n').filter((line) => line.startsWith('error '));
    expect(errors).toEqual([expect.stringContaining(`error ${code}: ${message}`)]);
    expect(answer.out).toBe('');
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['a,nothing', 'TRAIN_COLUMN_MISSING', 'The feature nothing is not there'],
    ['a,a', 'TRAIN_COLUMN_INVALID', 'a is named twice'],
    ['a,y', 'TRAIN_COLUMN_INVALID', 'y is the target, and no feature'],
  ])('refuses the features %s', async (features, code, message) => {
    const { err } = await train(ROWS, '--target', 'y', '--features', features);
    expect(err).toContain(`error ${code}: ${message}`);
  });

  it('says what is wrong with a file that is empty or not there', async () => {
    await writeFile(join(folder, 'empty.csv'), '');
    const empty = await train(join(folder, 'empty.csv'), '--target', 'y');
    expect([empty.code, empty.err.match(/^error /gm)?.length]).toEqual([1, 1]);
    expect((await train(join(folder, 'none.csv'), '--target', 'y')).err).toContain('error SOURCE_NOT_FOUND: ');
  });

  it('says before the training where the model can not be written', async () => {
    const { code, err } = await train(ROWS, '--target', 'y', '--output', join(folder, 'no', 'where.onnx'));
    expect([code, err]).toEqual([1, expect.stringContaining('error OUTPUT_FAILED: ')]);
    expect(err).not.toContain('growing trees');
  });

  it('leaves the old model in its place where it is stopped', async () => {
    const file = join(folder, 'model.onnx');
    await writeFile(file, 'old');
    const stopped = await lakelet(['train', ROWS, '--target', 'y', '--output', file], AbortSignal.abort());
    expect(stopped.code).toBe(1);
    expect(stopped.err).toMatch(/^error INTERRUPTED: The training was stopped/m);
    expect(await readFile(file, 'utf8')).toBe('old');
    const stop = new AbortController();
    const off = onProgress(({ step, rows }) => {
      if (step === 'train' && rows === 3) stop.abort();
    });
    const midway = await lakelet(['train', ROWS, '--target', 'y', '--output', file, '--trees', '5000'], stop.signal);
    off();
    expect([midway.code, midway.err]).toEqual([1, expect.stringMatching(/^error INTERRUPTED: /m)]);
    expect([await readdir(folder), await readFile(file, 'utf8')]).toEqual([['model.onnx'], 'old']);
  });

  it.each([
    ['--max-features', '0'],
    ['--max-features', 'all'],
    ['--trees', '0'],
    ['--split', 'day'],
    ['--cv', '1'],
    ['--algorithm', 'bagging'],
  ])('takes %s %s for wrong usage', async (flag, value) => {
    expect((await train(ROWS, '--target', 'y', flag, value)).code).toBe(2);
  });
});
