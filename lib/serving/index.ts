/** Models in use: loaded from a registry or a file, kept, and asked. */
export { ensembleScorer } from './ensemble-scorer.ts';
export { type LoadOptions, loadServedModel, openServedModel, REFRESH_MS } from './load.ts';
export {
  kindOf,
  type Scorer,
  type Scores,
  type ServedFeature,
  type ServedModel,
  type UnseenCategory,
} from './model.ts';
export { openModelFile } from './model-file.ts';
export {
  answerPredict,
  MOST_RECORDS,
  modelReference,
  type PredictAnswer,
  type PredictEvent,
  type Prediction,
  predictEvent,
  scoredRecord,
} from './predict.ts';
export { type ScoredRecord, scoreRecords, warningsOf } from './records.ts';
export { type Registry, registryOf } from './registry.ts';
