import { splitRows, takeRows } from '../../../lib/forest/index.ts';

describe('splitRows', () => {
  it('puts every row on one side, in order, the same for the same seed', () => {
    const split = splitRows(1003, 0.2, 7);
    expect(split.heldOut).toHaveLength(201);
    expect([...split.train, ...split.heldOut].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1003 }, (_, row) => row),
    );
    expect([...split.train]).toEqual([...split.train].sort((a, b) => a - b));
    expect([...split.heldOut]).toEqual([...split.heldOut].sort((a, b) => a - b));
    expect(splitRows(1003, 0.2, 7)).toEqual(split);
    expect(splitRows(1003, 0.2, 8)).not.toEqual(split);
  });

  it('holds out rows from all over the table', () => {
    const { heldOut } = splitRows(100_000, 0.1, 3);
    const tenths = new Array<number>(10).fill(0);
    for (const row of heldOut) tenths[Math.floor(row / 10_000)] = (tenths[Math.floor(row / 10_000)] ?? 0) + 1;
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('leaves at least one row on either side', () => {
    expect(splitRows(2, 0.01, 0).heldOut).toHaveLength(1);
    expect(splitRows(2, 0.99, 0).train).toHaveLength(1);
  });

  it('refuses shares and tables that cannot be split', () => {
    for (const share of [0, 1, -1, Number.NaN]) {
      expect(() => splitRows(10, share, 0)).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_OPTION' }));
    }
    for (const rows of [0, 1, 2.5]) {
      expect(() => splitRows(rows, 0.5, 0)).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_DATA' }));
    }
  });
});

describe('takeRows', () => {
  it('takes values in the order of the rows', () => {
    expect([...takeRows(Float64Array.of(5, 6, 7), Uint32Array.of(2, 0, 2))]).toEqual([7, 5, 7]);
  });
});
