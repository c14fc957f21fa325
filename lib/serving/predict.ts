import { z } from 'zod';
import type { ServedModel } from './model.ts';
import { type ScoredRecord, scoreRecords, warningsOf } from './records.ts';

/** Records that are scored at once. */
export const MOST_RECORDS = 10_000;

/** A record: a value by the name of its feature; null is one that is not known. */
export const scoredRecord = z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]));

/** How a model is named. */
export const modelReference = z
  .string()
  .regex(/^[^@/:]{1,200}@[\w.-]{1,100}$/, 'a model is NAME@ALIAS or NAME@VERSION');

/** What the function `predict` takes: records, or one of them alone. */
export const predictEvent = z
  .strictObject({
    model: modelReference.optional(),
    records: z.array(scoredRecord).min(1).max(MOST_RECORDS).optional(),
    record: scoredRecord.optional(),
  })
  .refine(({ record, records }) => (record === undefined) !== (records === undefined), {
    error: 'give either record or records',
  });

/** One of {@link predictEvent}, checked. */
export type PredictEvent = z.output<typeof predictEvent>;

/** What is predicted for one record. */
export interface Prediction {
  readonly predicted: number;
  /** The interval around it, of a model that has any. */
  readonly lower?: number;
  readonly upper?: number;
}

/** What the function `predict` answers. */
export interface PredictAnswer {
  readonly model: { readonly name: string; readonly version: string };
  /** In the order of the records; of one record, one. */
  readonly predictions: readonly Prediction[];
  /** What the predictions are counted in, where the dataset declares it. */
  readonly unit?: string;
  /** Which categories the model does not know, so that they count as missing. */
  readonly warnings?: readonly string[];
}

/**
 * Scores the records of an event.
 *
 * @param unit what the model's target is counted in
 * @throws LakeletError `PREDICTION_INVALID`, which names the record and the feature; `MODEL_UNSUITABLE`
 */
export async function answerPredict(
  model: ServedModel,
  { record, records = [] }: Pick<PredictEvent, 'record' | 'records'>,
  unit?: string,
): Promise<PredictAnswer> {
  const asked: readonly ScoredRecord[] = record === undefined ? records : [record];
  const { predicted, intervals, unseen } = await scoreRecords(model, asked);
  const warnings = warningsOf(unseen);
  return {
    model: { name: model.name, version: model.version },
    predictions: Array.from(predicted, (value, at) => ({
      predicted: value,
      ...(intervals !== undefined && {
        lower: intervals.lower[at] ?? Number.NaN,
        upper: intervals.upper[at] ?? Number.NaN,
      }),
    })),
    ...(unit !== undefined && { unit }),
    ...(warnings.length > 0 && { warnings }),
  };
}
