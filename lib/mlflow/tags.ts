/** The tags by which Lakelet finds again what it logged. */
export const TAG = {
  /** On a run: Lakelet's run id. */
  runId: 'lakelet.run_id',
  /** On a run: the id of MLflow's logged model that it made. */
  modelId: 'lakelet.model_id',
  /** On a run and a model version: which rows were held out. */
  heldOut: 'lakelet.held_out',
  /** On a model version: its RMSE on those rows. */
  rmse: 'lakelet.rmse',
  /** On a run and a model version: `true` where it became champion when it was registered. */
  champion: 'lakelet.champion',
  /** On a model version: the version that was champion when it was registered. */
  comparedWith: 'lakelet.compared_with',
  /** On a run and a model version: why. */
  championReason: 'lakelet.champion_reason',
} as const;

/** The alias of the model that is in use. */
export const CHAMPION_ALIAS = 'champion';

/** The alias of the loser of the last comparison: the new version that did not win, or the champion that it beat. */
export const CHALLENGER_ALIAS = 'challenger';

/** Tags as MLflow's API takes them. */
export function tagList(tags: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
