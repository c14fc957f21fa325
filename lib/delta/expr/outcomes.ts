/**
 * What a condition may turn out to be over the rows of one file: a set of SQL's three values, as bits. A set that is
 * too large only keeps a file that could have been skipped; one that is too small would lose rows.
 */
export type Outcomes = number;

/** No row has this condition: the file holds none. */
export const NONE: Outcomes = 0;
/** Some row may be true. */
export const TRUE: Outcomes = 1;
/** Some row may be false. */
export const FALSE: Outcomes = 2;
/** Some row may be null. */
export const NULL: Outcomes = 4;
/** Nothing is known. */
export const ANY: Outcomes = TRUE | FALSE | NULL;

/** True where the set holds all of `bits`. */
export function may(outcomes: Outcomes, bits: Outcomes): boolean {
  return (outcomes & bits) === bits;
}

/** `NOT a`: true and false change places, null stays. */
export function negated(a: Outcomes): Outcomes {
  return (may(a, TRUE) ? FALSE : NONE) | (may(a, FALSE) ? TRUE : NONE) | (a & NULL);
}

/** `a AND b`, for conditions of which nothing is known together. */
export function both(a: Outcomes, b: Outcomes): Outcomes {
  if (a === NONE || b === NONE) return NONE;
  const isNull = (may(a, NULL) && (b & (TRUE | NULL)) !== 0) || (may(b, NULL) && (a & (TRUE | NULL)) !== 0);
  return (a & b & TRUE) | ((a | b) & FALSE) | (isNull ? NULL : NONE);
}

/** `a OR b`, for conditions of which nothing is known together. */
export function either(a: Outcomes, b: Outcomes): Outcomes {
  return negated(both(negated(a), negated(b)));
}
