import type { ModelFeature } from './columns.ts';
import type { Algorithm } from './ensemble.ts';
import type { IntervalCalibration } from './intervals.ts';
import { FORMAT } from './onnx-schema.ts';
import { unreadable } from './protobuf-read.ts';

/** What a model file says about its matrix, beside the trees. */
export interface ModelDescription {
  readonly algorithm: Algorithm;
  readonly features: readonly ModelFeature[];
  /** A share for each feature. */
  readonly importances: readonly number[];
  /** Where the model has intervals. */
  readonly intervals?: IntervalCalibration;
}

/**
 * Reads the JSON text of a model file's metadata.
 * @throws LakeletError FOREST_MODEL_UNREADABLE where it is not as `toOnnx` writes it
 */
export function readDescription(text: string): ModelDescription {
  const value = parse(text);
  if (!isRecord(value)) throw unreadable('its description is no object');
  // Format 1 knew forests alone.
  const { format, algorithm = format === 1 ? 'forest' : undefined, features, importances, intervals } = value;
  if (format !== 1 && format !== FORMAT) {
    throw unreadable(`its format is not ${FORMAT} or before, which this version of Lakelet knows`);
  }
  if (algorithm !== 'forest' && algorithm !== 'boosting') throw unreadable('it is neither a forest nor boosted trees');
  if (!Array.isArray(features) || features.length === 0) throw unreadable('it lists no features');
  if (!Array.isArray(importances) || importances.length !== features.length || !importances.every(Number.isFinite)) {
    throw unreadable('it does not list an importance for each feature');
  }
  const described: ModelDescription = { algorithm, features: features.map(featureOf), importances };
  return intervals === undefined ? described : { ...described, intervals: intervalsOf(intervals, algorithm) };
}

function intervalsOf(value: unknown, algorithm: Algorithm): IntervalCalibration {
  if (!isRecord(value)) throw unreadable('its intervals are no object');
  const { coverage, rows, by } = value;
  const [edges, lower, upper] = [numbersOf(value.edges), numbersOf(value.lower), numbersOf(value.upper)];
  const sound =
    typeof coverage === 'number' &&
    coverage > 0 &&
    coverage < 1 &&
    typeof rows === 'number' &&
    Number.isSafeInteger(rows) &&
    rows > 0 &&
    (by === 'predicted' || (by === 'spread' && algorithm === 'forest')) &&
    lower.length === edges.length + 1 &&
    upper.length === edges.length + 1 &&
    edges.every((edge, at) => at === 0 || edge > (edges[at - 1] ?? edge)) &&
    lower.every((end, band) => end <= (upper[band] ?? Number.NaN));
  if (!sound) throw unreadable('its intervals are not sound');
  return { coverage, rows, by, edges, lower, upper };
}

function numbersOf(value: unknown): readonly number[] {
  if (Array.isArray(value) && value.every(Number.isFinite)) return value;
  throw unreadable('its intervals are not made of numbers');
}

function featureOf(value: unknown): ModelFeature {
  if (!isRecord(value) || typeof value.name !== 'string') throw unreadable('a feature has no name');
  const { name, kind, categories } = value;
  if (kind === 'numeric') return { name, kind };
  if (kind !== 'categorical' || !Array.isArray(categories) || !categories.every((text) => typeof text === 'string')) {
    throw unreadable('a feature is neither numeric nor categorical');
  }
  return { name, kind, categories };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('its description is no JSON');
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
