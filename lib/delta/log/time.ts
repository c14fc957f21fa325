/** The farthest from 1970 that JavaScript's Date goes, in milliseconds. */
const LIMIT = 8.64e15;

/** A time of the log (milliseconds since 1970, UTC) as ISO 8601; one that no Date can hold is the nearest that it can. */
export function timeText(millis: number): string {
  return new Date(Math.max(-LIMIT, Math.min(LIMIT, millis))).toISOString();
}
