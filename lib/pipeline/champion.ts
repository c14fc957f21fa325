import { LakeletError } from '../errors.ts';
import { evaluate, type FeatureColumn, fromOnnx, pairedTest } from '../forest/index.ts';
import type { EvaluateModel, ModelFeature } from '../mlflow/index.ts';

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
