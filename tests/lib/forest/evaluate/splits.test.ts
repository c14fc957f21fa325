import {
  foldByGroup,
  foldByTime,
  foldRows,
  type RowSplit,
  splitByGroup,
  splitByTime,
} from '../../../../lib/forest/index.ts';
import { randomStream } from '../../../../lib/forest/random.ts';
import { categorical, numeric } from '../example.ts';

/** Both lists of a split, together and sorted. */
function all({ train, heldOut }: RowSplit): number[] {
  return [...train, ...heldOut].sort((a, b) => a - b);
}

function upTo(rows: number): number[] {
  return Array.from({ length: rows }, (_, row) => row);
}

function ascending(values: ArrayLike<number>): boolean {
  return Array.from(values).every((value, at, list) => at === 0 || value > (list[at - 1] ?? value));
}

const INVALID_DATA = expect.objectContaining({ code: 'FOREST_INVALID_DATA' });
const INVALID_OPTION = expect.objectContaining({ code: 'FOREST_INVALID_OPTION' });

describe('splitByGroup', () => {
  const random = randomStream(3, 1);
  const codes = Int32Array.from({ length: 20_000 }, () => random.below(2000));
  const customers = categorical('customer', codes, 2000);

  it('has no group on both sides, and each row on one', () => {
    const split = splitByGroup(customers, 0.2, 7);
    const learnt = new Set([...split.train].map((row) => codes[row]));
    expect([...split.heldOut].some((row) => learnt.has(codes[row]))).toBe(false);
    expect(all(split)).toEqual(upTo(20_000));
    expect(ascending(split.train) && ascending(split.heldOut)).toBe(true);
    // 400 groups are expected, give or take four standard deviations of 18 groups, of 10 rows each.
    expect(Math.abs(split.heldOut.length - 4000)).toBeLessThan(720);
    expect(splitByGroup(customers, 0.2, 8)).not.toEqual(split);
  });

  it('leaves a group on its side when the table grows, and its categories are numbered anew', () => {
    const before = splitByGroup(customers, 0.2, 7);
    const held = new Set([...before.heldOut].map((row) => customers.categories[codes[row] ?? 0]));
    const categories = ['new', ...customers.categories.toReversed()];
    const grown = {
      ...customers,
      categories,
      codes: Int32Array.from({ length: 30_000 }, (_, row) => (row < 20_000 ? 2000 - (codes[row] ?? 0) : row % 2001)),
    };
    const after = splitByGroup(grown, 0.2, 7);
    for (const row of after.heldOut) {
      const name = categories[grown.codes[row] ?? 0] ?? '';
      if (name !== 'new') expect(held.has(name)).toBe(true);
    }
    for (const row of after.train) expect(held.has(categories[grown.codes[row] ?? 0] ?? '')).toBe(false);
  });

  it('learns from rows without a group, and takes numbers for groups as well', () => {
    const split = splitByGroup(numeric('shop', [1, Number.NaN, 2, 1, 2, Number.NaN]), 0.5, 1);
    expect([...split.train]).toEqual(expect.arrayContaining([1, 5]));
    expect([
      [0, 3],
      [2, 4],
    ]).toContainEqual([...split.heldOut]);
    const few = splitByGroup({ ...categorical('shop', [0, -1, 1], 2) }, 0.5, 1);
    expect([...few.train]).toContain(1);
  });

  it('has a group on either side as long as there are two', () => {
    for (let seed = 0; seed < 200; seed++) {
      for (const share of [0.01, 0.99]) {
        const { train, heldOut } = splitByGroup(categorical('shop', [0, 1, 0, 1, 1], 2), share, seed);
        expect([train.length, heldOut.length].sort()).toEqual([2, 3]);
      }
    }
  });

  it('refuses what it cannot split', () => {
    expect(() => splitByGroup(categorical('shop', [0, 0, -1], 2), 0.2, 0)).toThrow(INVALID_DATA);
    expect(() => splitByGroup(customers, 1, 0)).toThrow(INVALID_OPTION);
  });
});

describe('splitByTime', () => {
  it('holds out the latest rows, and learns from those without a time', () => {
    const split = splitByTime(Float64Array.of(5, 1, 9, Number.NaN, 3, 8, 2, 7, 4, 6), 0.2);
    expect([...split.heldOut]).toEqual([2, 5]);
    expect(all(split)).toEqual(upTo(10));
  });

  it('has rows of one time on one side, the share met as nearly as can be', () => {
    expect([...splitByTime(Float64Array.of(1, 2, 3, 3, 3, 3, 3, 4), 0.5).heldOut]).toEqual([2, 3, 4, 5, 6, 7]);
    expect([...splitByTime(Float64Array.of(1, 2, 2, 2, 2, 3, 4, 5), 0.5).heldOut]).toEqual([5, 6, 7]);
    expect([...splitByTime(Float64Array.of(1, 1, 1, 2), 0.9).heldOut]).toEqual([3]);
  });

  it('refuses rows of a single time, and shares that are none', () => {
    for (const times of [[], [1], [1, 1, 1], [Number.NaN, 1]])
      expect(() => splitByTime(Float64Array.from(times), 0.5)).toThrow(INVALID_DATA);
    expect(() => splitByTime(Float64Array.of(1, 2), 0)).toThrow(INVALID_OPTION);
  });
});

describe('folds', () => {
  it('at random hold each row out once, in parts of one size', () => {
    const folds = foldRows(103, 5, 4);
    expect(folds.map(({ heldOut }) => heldOut.length)).toEqual([21, 21, 21, 20, 20]);
    expect(folds.flatMap(({ heldOut }) => [...heldOut]).sort((a, b) => a - b)).toEqual(upTo(103));
    for (const fold of folds) expect(all(fold)).toEqual(upTo(103));
    expect(foldRows(103, 5, 4)).toEqual(folds);
    expect(foldRows(103, 5, 5)).not.toEqual(folds);
  });

  it('by group hold each group out once, and none on both sides', () => {
    const codes = Array.from({ length: 1000 }, (_, row) => (row < 300 ? 0 : 1 + (row % 40)));
    const folds = foldByGroup(categorical('shop', [...codes, -1], 41), 3, 2);
    expect(folds.map(({ heldOut }) => heldOut.length).every((count) => Math.abs(count - 333) < 35)).toBe(true);
    expect(folds.flatMap(({ heldOut }) => [...heldOut]).sort((a, b) => a - b)).toEqual(upTo(1000));
    for (const { train, heldOut } of folds) {
      const learnt = new Set([...train].map((row) => codes[row]));
      expect([...heldOut].some((row) => learnt.has(codes[row]))).toBe(false);
      expect(train).toContain(1000);
    }
  });

  it('by time learn from what came before, each on the span after it', () => {
    const folds = foldByTime(Float64Array.of(4, 1, 3, 2, 6, 5, Number.NaN, 8, 7), 3);
    expect(folds.map(({ train }) => [...train])).toEqual([
      [1, 3, 6],
      [0, 1, 2, 3, 6],
      [0, 1, 2, 3, 4, 5, 6],
    ]);
    expect(folds.map(({ heldOut }) => [...heldOut])).toEqual([
      [0, 2],
      [4, 5],
      [7, 8],
    ]);
  });

  it('are refused where there are too few rows, groups or times', () => {
    expect(() => foldRows(2, 3, 0)).toThrow(INVALID_DATA);
    expect(() => foldByGroup(categorical('shop', [0, 1, 1], 3), 3, 0)).toThrow(INVALID_DATA);
    expect(() => foldByTime(Float64Array.of(1, 1, 2, 2), 2)).toThrow(INVALID_DATA);
    expect(() => foldRows(10, 1, 0)).toThrow(INVALID_OPTION);
    expect(() => foldByGroup(categorical('shop', [0, 1], 2), 1.5, 0)).toThrow(INVALID_OPTION);
    expect(() => foldByTime(Float64Array.of(1, 2), 0)).toThrow(INVALID_OPTION);
  });
});
