import { type ChampionScore, decideChampion } from '../../../lib/mlflow/index.ts';

const score = (rmse: number, pValue: number): { version: string; score: ChampionScore } => ({
  version: '1',
  score: { rmse, pValue, better: pValue < 0.05, difference: 1, metrics: { rmse } },
});

describe('decideChampion', () => {
  it.each([
    ['the first', 5, undefined, true, 'the first model: RMSE 5'],
    ['a better one', 4.9, score(5, 0.001), true, 'beats the champion: RMSE 4.9 against 5 of version 1'],
    ['one that chance may have made better', 4.9, score(5, 0.2), false, 'is not surely better than the champion'],
    ['an equal one', 5, score(5, 0.5), false, 'does not beat the champion'],
    ['a worse one', 6, score(5, 0.9), false, 'does not beat the champion'],
    ['one without a score', Number.NaN, undefined, false, 'its RMSE is NaN'],
    ['one that can not be compared', 1, { version: '1', score: undefined }, false, "version 1, can't be compared"],
    ['one against a champion that has no finite score', 1, score(Number.NaN, 0), false, "can't be compared"],
  ])('%s', (_, rmse, present, champion, reason) => {
    const decision = decideChampion(rmse, present);
    expect(decision.champion).toBe(champion);
    expect(decision.reason).toContain(reason);
  });

  it('tells the test by its p', () => {
    expect(decideChampion(4, score(5, 0.00123456)).reason).toMatch(
      /on the same held-out rows, p = 0\.00123 in a paired test$/,
    );
  });
});
