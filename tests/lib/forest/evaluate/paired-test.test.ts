import { studentTail } from '../../../../lib/forest/evaluate/student.ts';
import { pairedTest } from '../../../../lib/forest/index.ts';
import { randomStream } from '../../../../lib/forest/random.ts';

describe('studentTail', () => {
  // scipy.stats.t.sf(t, degrees)
  it.each([
    [0, 3, 0.5],
    [0.5, 1, 0.35241638234956674],
    [1.7, 1, 0.1692530273303327],
    [-1.2, 4, 0.8518243033438233],
    [2.5, 9, 0.016930913841492867],
    [6, 9, 0.00010124966103382039],
    [40, 2, 0.0003122073360923703],
    [1.645, 1000, 0.05014204220778723],
    [-0.3, 20000, 0.6179098632766995],
    [3.2, 199999, 0.0006872451318911809],
    [5.5, 1000000, 1.899419056909027e-8],
    [12, 50, 1.2311903126662716e-16],
    [30, 5000, 2.8458290589308155e-182],
  ])('of %d with %d degrees of freedom is that of SciPy', (t, degrees, tail) => {
    expect(Math.abs(studentTail(t, degrees) / tail - 1)).toBeLessThan(1e-9);
  });
});

describe('pairedTest', () => {
  const actual = Float64Array.of(3, -0.5, 2, 7, 4.2, 5, 1, 8, 2.5, 6, 3.3, 9);
  const ours = Float64Array.of(2.5, 0, 2, 8, 4, 5.5, 2, 7.5, 3, 6.1, 3, 8);
  const theirs = Float64Array.of(2, 1, 3, 7.5, 3, 5.8, 2.5, 8.4, 1, 6.9, 3.1, 7.5);

  it('gives what SciPy gives for the squared errors', () => {
    const test = pairedTest(actual, ours, theirs);
    expect(test.rows).toBe(12);
    expect(test.difference).toBeCloseTo(0.8291666666666666, 12);
    expect(test.pValue).toBeCloseTo(0.0028655153369031936, 12);
    expect(test.better).toBe(true);
  });

  it('is not better the other way round', () => {
    const test = pairedTest(actual, theirs, ours);
    expect(test.difference).toBeCloseTo(-0.8291666666666666, 12);
    expect(test.pValue).toBeCloseTo(1 - 0.0028655153369031936, 12);
    expect(test.better).toBe(false);
  });

  it('holds equal models to be equal', () => {
    expect(pairedTest(actual, ours, ours)).toEqual({
      rows: 12,
      difference: 0,
      standardError: 0,
      pValue: 1,
      better: false,
    });
  });

  it.each([1, 2, 4])('never takes %d rows for enough, however great the difference', (rows) => {
    const zeros = new Float64Array(rows);
    const far = new Float64Array(rows).fill(1000);
    expect(pairedTest(zeros, zeros, far)).toMatchObject({ pValue: 2 ** -rows, better: false });
    expect(pairedTest(zeros, far, zeros)).toMatchObject({ pValue: 1, better: false });
  });

  it('takes five rows that all differ by as much for enough', () => {
    expect(pairedTest(new Float64Array(5), new Float64Array(5), new Float64Array(5).fill(1))).toMatchObject({
      standardError: 0,
      pValue: 2 ** -5,
      better: true,
    });
  });

  it('errs in about one of twenty comparisons of models that are equally good', () => {
    const random = randomStream(5, 5);
    const unit = (): number => random.next() / 2 ** 32 - 0.5;
    let found = 0;
    for (let round = 0; round < 2000; round++) {
      const [a, b, c] = [0, 1, 2].map(() => Float64Array.from({ length: 60 }, unit));
      if (a !== undefined && b !== undefined && c !== undefined && pairedTest(a, b, c).better) found++;
    }
    // 100 are expected; four standard deviations are 39.
    expect(Math.abs(found - 100)).toBeLessThan(39);
  });

  it.each<[string, number[], number[], number[], string]>([
    ['no rows', [], [], [], 'no rows to compare'],
    ['other lengths', [1, 2], [1, 2], [1], '2 and 1 predictions for 2'],
    ['values that are not finite', [1, 2], [1, 2], [1, Number.NaN], 'Row 1 compares 2 with 2 and NaN'],
  ])('refuses %s', (_, a, b, c, message) => {
    const test = () => pairedTest(Float64Array.from(a), Float64Array.from(b), Float64Array.from(c));
    expect(test).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_DATA' }));
    expect(test).toThrow(message);
  });
});
