import { evaluate } from '../../../lib/forest/index.ts';

describe('evaluate', () => {
  it('gives what scikit-learn gives', () => {
    const scores = evaluate(Float64Array.of(3, -0.5, 2, 7), Float64Array.of(2.5, 0, 2, 8));
    expect(scores.r2).toBeCloseTo(0.9486081370449679, 12);
    expect(scores.mae).toBe(0.5);
    expect(scores.rmse).toBeCloseTo(0.6123724356957945, 12);
  });

  it('gives 1 and 0 for a constant target, met or missed, and no R² for one row', () => {
    expect(evaluate(Float64Array.of(2, 2), Float64Array.of(2, 2)).r2).toBe(1);
    expect(evaluate(Float64Array.of(0.1, 0.1, 0.1), Float64Array.of(1, 2, 3)).r2).toBe(0);
    expect(evaluate(Float64Array.of(2), Float64Array.of(3))).toEqual({ r2: Number.NaN, mae: 1, rmse: 1 });
  });

  it('keeps its digits for a target far from 0', () => {
    const actual = Float64Array.of(1e9, 1e9 + 1, 1e9 + 2);
    expect(evaluate(actual, Float64Array.of(1e9, 1e9 + 1, 1e9 + 1)).r2).toBeCloseTo(0.5, 6);
  });

  it.each([
    ['no rows', [], [], 'no rows to score'],
    ['different lengths', [1, 2], [1], '1 predictions for 2'],
    ['values that are not finite', [1, 2], [1, Number.NaN], 'Row 1 compares 2 with NaN'],
  ])('refuses %s', (_, actual, predicted, message) => {
    const score = () => evaluate(Float64Array.from(actual), Float64Array.from(predicted));
    expect(score).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_DATA' }));
    expect(score).toThrow(message);
  });
});
