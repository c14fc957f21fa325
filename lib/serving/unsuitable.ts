import { LakeletError, printable } from '../errors.ts';

/** The error of a model that can't be served. `why` says what is wrong and what to do about it. */
export function unsuitable(reference: string, why: string, cause?: unknown): LakeletError {
  return new LakeletError('MODEL_UNSUITABLE', `The model ${printable(reference, 300)} can't be served here: ${why}`, {
    cause,
  });
}
