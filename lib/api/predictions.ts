import type { z } from 'zod';
import { LakeletError, printable } from '../errors.ts';
import type { FeatureColumn, ModelFeature } from '../forest/index.ts';
import type { RegisteredModel } from './model.ts';
import type { predictionsAnswer, predictionsBody } from './schemas.ts';

type ScoredRecord = z.output<typeof predictionsBody>['records'][number];

/**
 * Scores records with a model. Each must name all of its features and nothing else; null is a value that is not known, and
 * a category that the model has not seen counts as one, as in training.
 *
 * @throws LakeletError `PREDICTION_INVALID`, which names the record and the feature
 */
export function predict(
  { name, version, forest }: RegisteredModel,
  records: readonly ScoredRecord[],
): z.output<typeof predictionsAnswer> {
  const names = new Set(forest.features.map((feature) => feature.name));
  for (const [at, record] of records.entries()) {
    const unknown = Object.keys(record).find((key) => !names.has(key));
    if (unknown !== undefined) {
      throw invalid(at, `${printable(unknown, 100)} is no feature of the model; it has ${[...names].join(', ')}`);
    }
  }
  const columns = forest.features.map((feature) => columnOf(feature, records));
  return { model: { name, version }, predictions: [...forest.predict(columns)] };
}

function columnOf(feature: ModelFeature, records: readonly ScoredRecord[]): FeatureColumn {
  const { name, kind } = feature;
  if (kind === 'numeric') {
    return {
      name,
      kind,
      values: Float64Array.from(records, (record, at) => numberOf(name, givenValue(name, record, at), at)),
    };
  }
  const categories: string[] = [];
  const places = new Map<string, number>();
  const codes = Int32Array.from(records, (record, at) => {
    const value = givenValue(name, record, at);
    if (value === null) return -1;
    if (typeof value !== 'string') throw invalid(at, `${name} is a category: give a string, or null`);
    const place = places.get(value) ?? categories.push(value) - 1;
    places.set(value, place);
    return place;
  });
  return { name, kind, categories, codes };
}

function givenValue(name: string, record: ScoredRecord, at: number): string | number | boolean | null {
  if (!Object.hasOwn(record, name)) throw invalid(at, `${name} is missing; give null where it is not known`);
  return record[name] ?? null;
}

/** A number as training reads it: true and false are 1 and 0. */
function numberOf(name: string, value: string | number | boolean | null, at: number): number {
  if (value === null) return Number.NaN;
  if (typeof value === 'string') throw invalid(at, `${name} is a number: give one, true or false, or null`);
  const number = Number(value);
  // Models take 32-bit floats.
  if (!Number.isFinite(Math.fround(number))) throw invalid(at, `${name} is too large for a 32-bit float`);
  return number;
}

function invalid(at: number, why: string): LakeletError {
  return new LakeletError('PREDICTION_INVALID', `Record ${at} can't be scored: ${why}`);
}
