import { LakeletError } from '../errors.ts';
import type { ByteRange } from './object-store.ts';

/**
 * The absolute bounds (`start` inclusive, `end` exclusive) of a range in an object of `size` bytes, clipped to the object.
 * Throws `INVALID_RANGE` for bounds that are no integers or in the wrong order.
 */
export function resolveRange(range: ByteRange | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  const { start, end } = range;
  const ordered = end === undefined || (Number.isSafeInteger(end) && end >= 0 && (start < 0 || start <= end));
  if (!Number.isSafeInteger(start) || !ordered) {
    throw new LakeletError(
      'INVALID_RANGE',
      `The byte range ${start} to ${end ?? 'the end'} is none; give whole numbers in order`,
    );
  }
  const from = Math.min(start < 0 ? Math.max(size + start, 0) : start, size);
  return { start: from, end: Math.max(from, Math.min(end ?? size, size)) };
}
