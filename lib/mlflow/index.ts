/**
 * MLflow without Python: log a training to a server over its REST API, or keep it as a record and push it later.
 *
 * @module
 */
export {
  type ChampionDecision,
  type ChampionScore,
  decideChampion,
  type EvaluateModel,
  type PresentChampion,
} from './champion.ts';
export type { MlflowServer } from './http.ts';
export { type LocalVersion, localModel, localOnnx, localVersion, localVersions } from './local-registry.ts';
export { type LogTarget, logTraining } from './log-training.ts';
export { MLFLOW_VERSION, MODEL_FILE } from './model-folder.ts';
export { type PushOptions, type PushSummary, pushRecords } from './push.ts';
export { findPython, interpreterOf } from './python.ts';
export { type KeptRecord, keepRecord, readRecord, recordKeys } from './record-store.ts';
export { type LoggedTraining, logOnServer } from './server-log.ts';
export { type RunningServer, type ServerOptions, startMlflowServer } from './server-process.ts';
export { aliasedVersion, fetchModel, type ReadModelFile, versionFiles } from './server-registry.ts';
export { TAG } from './tags.ts';
export type {
  ComparisonRun,
  DatasetColumn,
  HeldOut,
  MetricCurve,
  ModelFeature,
  RunArtifact,
  TrainedModel,
  TrainingDataset,
  TrainingRecord,
} from './training.ts';
export { serveMlflow, type UiOptions } from './ui.ts';
