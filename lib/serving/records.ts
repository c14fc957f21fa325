import { printable } from '../errors.ts';
import type { FeatureColumn } from '../forest/index.ts';
import { predictionInvalid } from './columns.ts';
import { kindOf, type Scores, type ServedFeature, type ServedModel, type UnseenCategory } from './model.ts';

/** A value by the name of its feature; null is one that is not known. */
export type ScoredRecord = Readonly<Record<string, string | number | boolean | null>>;

/** The most warnings that an answer carries. */
const MOST_WARNINGS = 20;

/**
 * Scores records with a model. Each must name all of its features and nothing else.
 *
 * @throws LakeletError `PREDICTION_INVALID`, which names the record, by its place from 0, and the feature; what the model throws
 */
export async function scoreRecords(
  { features, score }: ServedModel,
  records: readonly ScoredRecord[],
): Promise<Scores> {
  const names = new Set(features.map(({ name }) => name));
  for (const [at, record] of records.entries()) {
    const unknown = Object.keys(record).find((key) => !names.has(key));
    if (unknown !== undefined) {
      const there = printable([...names].join(', '), 1000);
      throw predictionInvalid(at, `${printable(unknown, 100)} is no feature of the model; it has ${there}`);
    }
  }
  return score(features.map((feature) => columnOf(feature, records)));
}

/** What a caller is told of categories that count as missing. */
export function warningsOf(unseen: readonly UnseenCategory[]): string[] {
  const told = unseen
    .slice(0, MOST_WARNINGS)
    .map(
      ({ feature, category }) =>
        `${printable(feature, 100)}: the model does not know ${printable(JSON.stringify(category), 100)}, which counts as missing`,
    );
  const more = unseen.length - told.length;
  return more > 0 ? [...told, `${more} more categories are not known to the model`] : told;
}

function columnOf(feature: ServedFeature, records: readonly ScoredRecord[]): FeatureColumn {
  const { name } = feature;
  if (kindOf(feature) === 'numeric') {
    return { name, kind: 'numeric', values: Float64Array.from(records, (record, at) => numberOf(feature, record, at)) };
  }
  const categories: string[] = [];
  const places = new Map<string, number>();
  const codes = Int32Array.from(records, (record, at) => {
    const value = givenValue(name, record, at);
    if (value === null) return -1;
    if (typeof value !== 'string') {
      throw predictionInvalid(at, `${printable(name, 100)} is a category: give a string, or null`);
    }
    const place = places.get(value) ?? categories.push(value) - 1;
    places.set(value, place);
    return place;
  });
  return { name, kind: 'categorical', categories, codes };
}

function givenValue(name: string, record: ScoredRecord, at: number): string | number | boolean | null {
  if (!Object.hasOwn(record, name)) {
    throw predictionInvalid(at, `${printable(name, 100)} is missing; give null where it is not known`);
  }
  return record[name] ?? null;
}

/** A number as training reads it: true and false are 1 and 0. */
function numberOf({ name, type }: ServedFeature, record: ScoredRecord, at: number): number {
  const value = givenValue(name, record, at);
  if (value === null) return Number.NaN;
  if (typeof value === 'string') {
    const wanted = type === 'boolean' ? 'is true or false: give one' : 'is a number: give one, true or false';
    throw predictionInvalid(at, `${printable(name, 100)} ${wanted}, or null`);
  }
  return Number(value);
}
