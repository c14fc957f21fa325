import type { HeldOut, ModelFeature } from './training.ts';

/**
 * Scores a model on the rows given: its root mean squared error there, or undefined where it can't be scored on them
 * (it was trained on other features, or is of another make). The features are those of the training that held the rows
 * out: they name the columns of its matrix, and what its codes stand for, which may be other codes in the model.
 */
export type EvaluateModel = (
  onnx: Uint8Array,
  heldOut: HeldOut,
  features: readonly ModelFeature[],
) => Promise<number | undefined>;

/** What a new model is set against. */
export interface PresentChampion {
  /** Its version in the registry. */
  readonly version: string;
  /** Its RMSE on the challenger's held-out rows; undefined where there is none to compare. */
  readonly rmse: number | undefined;
}

/** Whether a new model becomes champion, and why in one line. */
export interface ChampionDecision {
  readonly champion: boolean;
  readonly reason: string;
}

/**
 * The rule of the alias `champion`: the first model gets it; after that a model that is strictly better, by RMSE on the
 * same held-out rows. Where the two can't be compared the champion stays.
 */
export function decideChampion(challengerRmse: number, present: PresentChampion | undefined): ChampionDecision {
  if (!Number.isFinite(challengerRmse)) {
    return { champion: false, reason: `its RMSE is ${challengerRmse}, which beats nothing` };
  }
  if (present === undefined) {
    return { champion: true, reason: `the first model: RMSE ${figure(challengerRmse)}` };
  }
  const { version, rmse } = present;
  if (rmse === undefined || !Number.isFinite(rmse)) {
    return {
      champion: false,
      reason: `the champion, version ${version}, can't be scored on the same held-out rows, so it stays; set the alias champion by hand to replace it`,
    };
  }
  const scores = `RMSE ${figure(challengerRmse)} against ${figure(rmse)} of version ${version} on the same held-out rows`;
  return challengerRmse < rmse
    ? { champion: true, reason: `beats the champion: ${scores}` }
    : { champion: false, reason: `does not beat the champion: ${scores}` };
}

function figure(value: number): string {
  return String(Number(value.toPrecision(9)));
}
