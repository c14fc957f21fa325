import type { HeldOut, ModelFeature } from './training.ts';

/** How the present champion does on the rows that a new model was scored on. */
export interface ChampionScore {
  /** The champion's root mean squared error there. */
  readonly rmse: number;
  /** True where a paired test on the rows says that the new model is better. */
  readonly better: boolean;
  /** The test's one-sided p: how often chance alone would make the new model look so much better. */
  readonly pValue: number;
  /** The mean, over the rows, of the champion's squared error less the new model's: above 0 where the new one is better. */
  readonly difference: number;
  /** All of the champion's scores there. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Scores the present champion on the rows given and compares it, row by row, with the new model's own predictions
 * (`heldOut.predicted`); undefined where that can't be done (it was trained on other features, is of another make, or no
 * predictions are at hand). The features are those of the training that held the rows out: they name the columns of its
 * matrix, and what its codes stand for, which may be other codes in the model.
 */
export type EvaluateModel = (
  onnx: Uint8Array,
  heldOut: HeldOut,
  features: readonly ModelFeature[],
) => Promise<ChampionScore | undefined>;

/** What a new model is set against. */
export interface PresentChampion {
  /** Its version in the registry. */
  readonly version: string;
  /** How it does on the new model's held-out rows; undefined where the two can't be compared. */
  readonly score: ChampionScore | undefined;
}

/** Whether a new model becomes champion, and why in one line. */
export interface ChampionDecision {
  readonly champion: boolean;
  readonly reason: string;
}

/**
 * The rule of the alias `champion`: the first model gets it; after that a model that a paired test on the same held-out
 * rows says is better. Where the two can't be compared the champion stays.
 */
export function decideChampion(rmse: number, present: PresentChampion | undefined): ChampionDecision {
  if (!Number.isFinite(rmse)) {
    return { champion: false, reason: `its RMSE is ${rmse}, which beats nothing` };
  }
  if (present === undefined) {
    return { champion: true, reason: `the first model: RMSE ${figure(rmse, 9)}` };
  }
  const { version, score } = present;
  if (score === undefined || !Number.isFinite(score.rmse)) {
    return {
      champion: false,
      reason: `the champion, version ${version}, can't be compared on the same held-out rows, so it stays; set the alias champion by hand to replace it`,
    };
  }
  const scores = `RMSE ${figure(rmse, 9)} against ${figure(score.rmse, 9)} of version ${version} on the same held-out rows`;
  const test = `p = ${figure(score.pValue, 3)} in a paired test`;
  if (score.better) return { champion: true, reason: `beats the champion: ${scores}, ${test}` };
  const lower = rmse < score.rmse;
  return {
    champion: false,
    reason: `${lower ? 'is not surely better than' : 'does not beat'} the champion: ${scores}, ${test}`,
  };
}

function figure(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}
