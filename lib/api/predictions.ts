import type { z } from 'zod';
import { type ServedModel, scoreRecords, warningsOf } from '../serving/index.ts';
import type { predictionsAnswer, predictionsBody } from './schemas.ts';

/**
 * Scores the records of a request.
 *
 * @param unit what the model's target is counted in
 * @throws LakeletError `PREDICTION_INVALID`, which names the record and the feature; `MODEL_UNSUITABLE`
 */
export async function answerPredictions(
  model: ServedModel,
  records: z.output<typeof predictionsBody>['records'],
  unit?: string,
): Promise<z.output<typeof predictionsAnswer>> {
  const { predicted, intervals, unseen } = await scoreRecords(model, records);
  const warnings = warningsOf(unseen);
  return {
    model: { name: model.name, version: model.version },
    predictions: [...predicted],
    ...(intervals !== undefined && { lower: [...intervals.lower], upper: [...intervals.upper] }),
    ...(unit !== undefined && { unit }),
    ...(warnings.length > 0 && { warnings }),
  };
}
