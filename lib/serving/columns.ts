import { LakeletError, printable } from '../errors.ts';
import type { FeatureColumn } from '../forest/index.ts';
import { kindOf, type ServedFeature } from './model.ts';

/** The error of a record that a model can't score. */
export function predictionInvalid(record: number, why: string): LakeletError {
  return new LakeletError('PREDICTION_INVALID', `Record ${record} can't be scored: ${why}`);
}

/** The least and the greatest number of each type of whole numbers. */
const RANGES = {
  integer: [-(2 ** 31), 2 ** 31 - 1],
  // What 64-bit floats, as which they come, tell apart.
  long: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  boolean: [0, 1],
} as const;

/**
 * The columns of a model's features, in their order, with every value checked.
 *
 * @param first what the first row is called in errors
 * @throws LakeletError `PREDICTION_INVALID` with the record and the feature
 */
export function checkedColumns(
  features: readonly ServedFeature[],
  columns: readonly FeatureColumn[],
  first: number,
): FeatureColumn[] {
  return features.map((feature) => {
    const column = columns.find(({ name }) => name === feature.name);
    const name = printable(feature.name, 100);
    if (column === undefined) {
      throw new LakeletError('PREDICTION_INVALID', `The model needs a column ${name}, which is not there; add it`);
    }
    if (column.kind !== kindOf(feature)) {
      throw new LakeletError(
        'PREDICTION_INVALID',
        `The column ${name} is ${column.kind}, and the model takes ${feature.type} there; convert it`,
      );
    }
    if (column.kind === 'numeric') checkNumbers(feature, column.values, first);
    else if (!feature.nullable) {
      const missing = column.codes.indexOf(-1);
      if (missing >= 0) throw predictionInvalid(first + missing, `${name} is not known, and the model needs it`);
    }
    return column;
  });
}

function checkNumbers({ name, type, nullable }: ServedFeature, values: Float64Array, first: number): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? Number.NaN;
    const why = Number.isNaN(value)
      ? nullable
        ? undefined
        : 'is not known, and the model needs it'
      : faultOf(type, value);
    if (why !== undefined) throw predictionInvalid(first + row, `${printable(name, 100)} ${why}`);
  }
}

function faultOf(type: ServedFeature['type'], value: number): string | undefined {
  if (type === 'float') return Number.isFinite(Math.fround(value)) ? undefined : 'is too large for a 32-bit float';
  if (type === 'double' || type === 'string') return Number.isFinite(value) ? undefined : 'is infinite';
  const [least, most] = RANGES[type];
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  return `is ${value}, and has to be ${type === 'boolean' ? 'true or false' : `a whole number from ${least} to ${most}`}`;
}
