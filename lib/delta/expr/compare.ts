import type { StructField } from '../schema/types.ts';
import { afterAll, type Bounds, type Codec, type Span, STRINGS, withCodec } from './codec.ts';
import { FALSE, NONE, type Outcomes, TRUE } from './outcomes.ts';
import type { Literal } from './predicate.ts';

/** The values of a column in one file, nulls apart: one partition value, or statistics as they stand in the log. */
export type FileValues = { readonly partition: string } | { readonly min: unknown; readonly max: unknown };

/** What a condition may be over the values of a column that are not null. */
export type ValueTest = (values: FileValues) => Outcomes;

const UNKNOWN: Outcomes = TRUE | FALSE;

/**
 * The test of `field IN (values)`, `field < value` or `field <= value` on files (the other comparisons are made of
 * these); undefined where type and values do not go together in a way that is known.
 */
export function rangeTest(
  field: StructField,
  op: 'in' | 'lt' | 'le',
  values: readonly NonNullable<Literal>[],
): ValueTest | undefined {
  return withCodec(field, values, (codec) => {
    const spans = values.map((value) => codec.literal(value)).filter((span) => span !== undefined);
    if (spans.length < values.length) return undefined;
    const test = op === 'in' ? oneOf(codec, spans) : below(codec, spans[0], op === 'le');
    return test && onFiles(codec, test);
  });
}

/** The test of `field LIKE 'prefix%'` on files; undefined where the field is no string. */
export function prefixTest(field: StructField, prefix: string): ValueTest | undefined {
  const first = field.type === 'string' ? STRINGS.literal(prefix)?.low : undefined;
  if (first === undefined) return undefined;
  const last = afterAll(first);
  const begins = (key: Buffer | undefined) => key?.subarray(0, first.length).equals(first) === true;
  return onFiles(STRINGS, ({ low, high }) => {
    const overlaps =
      (high === undefined || STRINGS.compare(high, first) >= 0) &&
      (low === undefined || STRINGS.compare(low, last) < 0);
    return (overlaps ? TRUE : NONE) | (begins(low) && begins(high) ? NONE : FALSE);
  });
}

/** A test of bounds made a test of what the log says; values beside the bounds (NaN) are tested apart. */
function onFiles<K>(codec: Codec<K>, test: (bounds: Bounds<K>) => Outcomes): ValueTest {
  const beside = codec.outsider === undefined ? NONE : test({ low: codec.outsider, high: codec.outsider });
  return (values) => {
    if ('partition' in values) {
      const span = codec.partition(values.partition);
      return span === undefined ? UNKNOWN : test(span);
    }
    const { low, high } = codec.statistics(values.min, values.max);
    const upsideDown = low !== undefined && high !== undefined && codec.compare(low, high) > 0;
    return upsideDown ? UNKNOWN : test({ low, high }) | beside;
  };
}

function below<K>(
  codec: Codec<K>,
  span: Span<K> | undefined,
  orEqual: boolean,
): ((bounds: Bounds<K>) => Outcomes) | undefined {
  if (span === undefined) return undefined;
  return ({ low, high }) => {
    const least = low === undefined ? -1 : codec.compare(low, span.high);
    const most = high === undefined ? 1 : codec.compare(high, span.low);
    return orEqual
      ? (least <= 0 ? TRUE : NONE) | (most > 0 ? FALSE : NONE)
      : (least < 0 ? TRUE : NONE) | (most >= 0 ? FALSE : NONE);
  };
}

/** Values are sorted once, so that a long list costs each file a binary search. */
function oneOf<K>(codec: Codec<K>, spans: readonly Span<K>[]): (bounds: Bounds<K>) => Outcomes {
  const sorted = spans.toSorted((a, b) => codec.compare(a.low, b.low) || codec.compare(a.high, b.high));
  const reach: K[] = [];
  for (const { high } of sorted) {
    const before = reach.at(-1);
    reach.push(before !== undefined && codec.compare(before, high) > 0 ? before : high);
  }
  return ({ low, high }) => {
    const at = high === undefined ? sorted.length - 1 : lastNotAbove(codec, sorted, high);
    const furthest = reach[at];
    const meets = furthest !== undefined && (low === undefined || codec.compare(furthest, low) >= 0);
    return (meets ? TRUE : NONE) | (isPoint(codec, sorted[at], low, high) ? NONE : FALSE);
  };
}

/** The place of the last span whose low end is not above `key`; -1 where there is none. */
function lastNotAbove<K>(codec: Codec<K>, sorted: readonly Span<K>[], key: K): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const span = sorted[middle];
    if (span !== undefined && codec.compare(span.low, key) <= 0) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

/** True where bounds and span are all one value, so that every row equals it. */
function isPoint<K>(codec: Codec<K>, span: Span<K> | undefined, low: K | undefined, high: K | undefined): boolean {
  if (span === undefined || low === undefined || high === undefined) return false;
  return [span.high, low, high].every((key) => codec.compare(span.low, key) === 0);
}
