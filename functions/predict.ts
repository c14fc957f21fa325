import { purchases } from '../datasets/purchases/index.ts';
import { loadConfig } from '../lib/config.ts';
import { answerPredict, loadServedModel, type PredictAnswer, predictEvent } from '../lib/serving/index.ts';
import { handlerOf } from './handler.ts';

const { name, unit } = purchases.model;

/** The Lambda function that scores records with a model of the registry, the dataset's champion where none is named. */
export const handler = handlerOf(
  'predict',
  predictEvent,
  async (event, log): Promise<PredictAnswer> => {
    const model = await loadServedModel(loadConfig(), event.model ?? `${name}@champion`, { log });
    return answerPredict(model, event, model.name === name ? unit : undefined);
  },
  {
    // Records are people's, and many: the log has none.
    event: ({ model, records }) => ({ model, records: records?.length ?? 1 }),
    summary: ({ model, predictions, warnings = [] }) => ({
      model,
      predictions: predictions.length,
      warnings: warnings.length,
    }),
  },
);
