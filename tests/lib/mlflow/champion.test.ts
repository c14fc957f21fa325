import { decideChampion } from '../../../lib/mlflow/index.ts';

describe('decideChampion', () => {
  it.each([
    ['the first', 5, undefined, true],
    ['a better one', 4.9, { version: '1', rmse: 5 }, true],
    ['an equal one', 5, { version: '1', rmse: 5 }, false],
    ['a worse one', 6, { version: '1', rmse: 5 }, false],
    ['one without a score', Number.NaN, undefined, false],
    ['one that can not be compared', 1, { version: '1', rmse: undefined }, false],
    ['one against a champion that has no finite score', 1, { version: '1', rmse: Number.NaN }, false],
  ])('%s', (_, rmse, present, champion) => {
    expect(decideChampion(rmse, present).champion).toBe(champion);
  });
});
