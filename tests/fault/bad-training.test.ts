// What people hand to `lakelet train` by mistake: each ends in the right answer, or in one line and no model.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromOnnx } from '../../lib/forest/index.ts';
import { Checkout, type Ended } from '../checkout.ts';

let checkout: Checkout;
let model: string;

beforeAll(() => {
  checkout = new Checkout();
  model = join(checkout.folder, 'model.onnx');
  writeFileSync(join(checkout.folder, 'empty.csv'), '');
  writeFileSync(join(checkout.folder, 'header.csv'), 'x,y\n');
  writeFileSync(
    join(checkout.folder, 'picture.csv'),
    Uint8Array.from({ length: 4096 }, (_, at) => (at * 197 + 13) % 256),
  );
  writeFileSync(
    join(checkout.folder, 'picture.parquet'),
    Uint8Array.from({ length: 4096 }, (_, at) => (at * 31) % 256),
  );
  mkdirSync(join(checkout.folder, 'folder.csv'));
});

afterAll(() => checkout.remove());
afterEach(() => rmSync(model, { force: true }));

function train(source: string, ...options: readonly string[]): Promise<Ended> {
  const argv = ['train', source, '--target', 'y', '--output', model, '--trees', '3', ...options];
  return checkout.lakelet(argv);
}

/** That a command failed by one line, with no stack and no model. */
function expectRefused(ended: Ended, line: RegExp): void {
  const errors = ended.err.split('\n').filter((text) => /^error |^\s+at /.test(text));
  expect(errors).toEqual([expect.stringMatching(line)]);
  expect({ code: ended.code, out: ended.out, model: existsSync(model) }).toEqual({ code: 1, out: '', model: false });
}

/** What a training that must succeed told, and that its model can be read. */
function told({ code, out, err }: Ended): Record<string, unknown> {
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  fromOnnx(readFileSync(model));
  return JSON.parse(out);
}

const rows = (select: string, count = 50): string => `SELECT ${select} FROM range(${count}) t(i)`;

describe('lakelet train refuses', () => {
  it.each<[string, string, readonly string[], RegExp]>([
    ['no rows', rows('i AS x, i AS y', 0), [], /^error \w+: .*rows/i],
    ['one row', rows('i AS x, i AS y', 1), [], /^error \w+: .*row/i],
    ['targets that are all missing', rows('i AS x, NULL::DOUBLE AS y'), [], /^error \w+: .*rows/i],
    ['targets that are all NaN', rows("i AS x, 'NaN'::DOUBLE AS y"), [], /^error \w+: .*rows/i],
    [
      'an infinite target',
      rows("i AS x, if(i = 7, 'Infinity'::DOUBLE, i) AS y"),
      [],
      /^error \w+: The column y holds inf in row 8/,
    ],
    [
      'an infinite feature',
      rows("if(i = 7, '-Infinity'::DOUBLE, i) AS x, i AS y"),
      [],
      /^error \w+: The column x holds -inf in row 8/,
    ],
    [
      'a feature beyond 32-bit floats',
      rows('if(i < 9, 1e300, i) AS x, i AS y'),
      [],
      /^error \w+: The column x holds 1e\+300 in row 1/,
    ],
    ['a target that is text', rows("i AS x, 'v' || i AS y"), [], /^error \w+: .*y/],
    ['a target that is not there', rows('i AS x'), [], /^error \w+: .*y/],
    ['no column but the target', rows('i AS y'), [], /^error \w+: .*(feature|column)/i],
    ['a feature that is not there', rows('i AS x, i AS y'), ['--features', 'x,z'], /^error \w+: .*z/],
    ['a feature named twice', rows('i AS x, i AS y'), ['--features', 'x,x'], /^error \w+: .*x/],
    ['the target among the features', rows('i AS x, i AS y'), ['--features', 'x,y'], /^error \w+: .*y/],
    ['a list as a feature', rows('[i] AS x, i AS y'), [], /^error \w+: .*x/],
    ['SQL that writes', 'CREATE TABLE t AS SELECT 1 AS x, 2 AS y', [], /^error \w+: /],
    ['SQL that fails', 'SELECT nothing AS x, 1 AS y FROM range(9)', [], /^error \w+: .*nothing/],
    ['SQL that fails as it runs', rows("CAST('a' || i AS INTEGER) AS x, i AS y"), [], /^error \w+: /],
    ['SQL that reads files', "SELECT 1 AS x, 2 AS y FROM read_csv('header.csv')", [], /^error \w+: /],
    ['an empty file', 'empty.csv', [], /^error \w+: /],
    ['a file of headings alone', 'header.csv', [], /^error \w+: /],
    ['a picture as CSV', 'picture.csv', [], /^error \w+: /],
    ['a picture as Parquet', 'picture.parquet', [], /^error \w+: .*picture\.parquet/],
    ['a folder', 'folder.csv', [], /^error \w+: /],
    ['a file that is not there', 'absent.csv', [], /^error \w+: .*absent\.csv/],
    [
      'a place that cannot be written',
      rows('i AS x, i AS y'),
      ['--output', 'absent/model.onnx'],
      /^error \w+: .*absent/,
    ],
  ])('%s, in one line', async (_, source, options, line) => {
    expectRefused(await train(source, ...options), line);
  });
});

describe('lakelet train learns from', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['two rows', rows('i AS x, i AS y', 2), { rows: 1, heldOut: 1 }],
    ['a constant target, which it predicts', rows('i AS x, 7 AS y'), { mae: 0, rmse: 0 }],
    ['features that are all missing', rows('NULL::DOUBLE AS x, NULL::VARCHAR AS k, i AS y'), { rows: 40 }],
    [
      'targets of which some are missing or NaN',
      rows("i AS x, if(i < 5, NULL, if(i < 10, 'NaN'::DOUBLE, i)) AS y"),
      { leftOut: 10, rows: 32 },
    ],
    ['300 categories', rows("'k' || (i % 300) AS x, (i % 300) AS y", 3000), { rows: 2400 }],
    ['100,001 categories', rows("'k' || i AS x, i % 7 AS z, i % 7 AS y", 100_001), { features: ['x', 'z'] }],
    [
      'integers beyond 2^53 and beyond 64 bits',
      rows('(9007199254740993 + i)::BIGINT AS x, (1::HUGEINT << 100) + i AS h, i AS y'),
      { features: ['x', 'h'] },
    ],
    ['hostile names', rows(`i AS "a""b'; DROP TABLE t --", i % 3 AS "\u202e{}\\\\", i AS y`), { rows: 40 }],
  ])('%s', async (_, source, expected) => {
    expect(told(await train(source))).toMatchObject(expected);
  });

  it('a category as well as 255 bins allow, where there are 300 of them', async () => {
    const answer = told(await train(rows("'k' || (i % 300) AS x, (i % 300) AS y", 6000), '--trees', '30'));
    expect(Number(answer.r2)).toBeGreaterThan(0.99);
  });
});
