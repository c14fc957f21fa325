import { LakeletError } from '../errors.ts';
import { evaluate, type FeatureColumn, fromOnnx, pairedTest } from '../forest/index.ts';
import {
  type ChampionScore,
  type EvaluateModel,
  fetchModel,
  type HeldOut,
  localModel,
  type ModelFeature,
} from '../mlflow/index.ts';
import type { Context } from './context.ts';

/** What says that a model can't be scored: it is no forest of Lakelet's, or needs a column that is not there. */
const NOT_COMPARABLE = ['FOREST_MODEL_UNREADABLE', 'FOREST_INVALID_DATA'];

/**
 * How a model in the registry does on rows that another training held out, beside the new model's own predictions for
 * them; undefined where it can't be scored there. Each model numbers the categories in its own way, so the rows go
 * through the categories' names.
 */
export const evaluateChampion: EvaluateModel = async (onnx, heldOut, features) => {
  const { features: matrix, target, predicted } = heldOut;
  if (matrix === undefined || target === undefined || predicted === undefined) return undefined;
  try {
    const champion = fromOnnx(onnx);
    const columns = features.map((feature, at) => columnOf(feature, at, features.length, matrix));
    const theirs = champion.predict(columns);
    const metrics = evaluate(target, theirs);
    const { better, pValue, difference } = pairedTest(target, predicted, theirs);
    return { rmse: metrics.rmse, better, pValue, difference, metrics: { ...metrics } };
  } catch (error) {
    if (error instanceof LakeletError && NOT_COMPARABLE.includes(error.code)) return undefined;
    throw error;
  }
};

/** How the present champion does beside a new model. */
export interface ChampionComparison {
  /** Absent where there is no champion yet, or its registry is away. */
  readonly present?: {
    /** Its version in the registry. */
    readonly version: string;
    /** Undefined where the two can't be compared. */
    readonly score: ChampionScore | undefined;
  };
  /** As {@link evaluateChampion}; knows the answer for this champion already. */
  readonly evaluate: EvaluateModel;
}

/**
 * Compares a new model with the present champion before it is logged, so that what is logged can tell of it. A server that
 * is away is left to the logging, which keeps the training's record before it fails.
 *
 * @throws LakeletError what the local registry throws
 */
export async function compareWithChampion(
  context: Context,
  name: string,
  heldOut: HeldOut,
  features: readonly ModelFeature[],
): Promise<ChampionComparison> {
  const champion = await presentChampion(context, name);
  if (champion === undefined) return { evaluate: evaluateChampion };
  const { version, onnx } = champion;
  const score = await evaluateChampion(onnx, heldOut, features);
  return {
    present: { version, score },
    evaluate: async (bytes, rows, theirs) =>
      rows === heldOut && Buffer.compare(bytes, onnx) === 0 ? score : evaluateChampion(bytes, rows, theirs),
  };
}

async function presentChampion(
  { config, records, log, signal }: Context,
  name: string,
): Promise<{ readonly version: string; readonly onnx: Uint8Array } | undefined> {
  const { trackingUri } = config.mlflow;
  if (trackingUri === undefined) return localModel(records, name, 'champion');
  try {
    const server = { ...config.mlflow, trackingUri, ...(signal !== undefined && { signal }) };
    return await fetchModel(server, name, 'champion');
  } catch (error) {
    if (!(error instanceof LakeletError)) throw error;
    log.warn({ code: error.code, reason: error.message }, 'the champion could not be fetched');
    return undefined;
  }
}

/** One column of a row-major matrix. */
function columnOf(
  { name, kind, categories = [] }: ModelFeature,
  at: number,
  width: number,
  matrix: Float32Array,
): FeatureColumn {
  const values = Float64Array.from(
    { length: matrix.length / width },
    (_, row) => matrix[row * width + at] ?? Number.NaN,
  );
  if (kind === 'numeric') return { name, kind, values };
  return { name, kind, categories, codes: Int32Array.from(values, (code) => (Number.isNaN(code) ? -1 : code)) };
}
