import { LakeletError, messageOf, printable } from '../errors.ts';
import { isRecord } from './schema/types.ts';

/** What callers without TypeScript might hand over wrongly, and a table's log must never get to hold. */
type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === 'string' ? undefined : 'is no string');

const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'is neither true nor false');

const names: Check = (value) =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') ? undefined : 'is no list of names';

const texts: Check = (value) =>
  isRecord(value) && Object.values(value).every((inner) => typeof inner === 'string')
    ? undefined
    : 'is no object of strings';

const wholeNumber: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'is no whole number from 0';

const signal: Check = (value) =>
  isRecord(value) && typeof value.throwIfAborted === 'function' && typeof value.addEventListener === 'function'
    ? undefined
    : 'is no AbortSignal';

const txn: Check = (value) => {
  if (!isRecord(value)) return 'is no object';
  if (typeof value.appId !== 'string' || value.appId === '') return 'has no appId, a string';
  return value.version === undefined || wholeNumber(value.version) === undefined
    ? undefined
    : 'has a version that is no whole number from 0';
};

const json: Check = (value) => {
  if (!isRecord(value)) return 'is no object';
  try {
    JSON.stringify(value);
    return undefined;
  } catch (error) {
    return `can't be written as JSON (${printable(messageOf(error).split('\n')[0] ?? '', 100)})`;
  }
};

const CHECKS: Readonly<Record<string, Check>> = {
  where: text,
  columns: names,
  signal,
  txn,
  commitInfo: json,
  readsTable: flag,
  limit: wholeNumber,
  partitionBy: names,
  properties: texts,
};

/**
 * Refuses options of a wrong kind, before anything is done.
 *
 * @throws LakeletError `INVALID_OPTION`, with the option's name
 */
export function checkOptions(options: unknown): void {
  if (!isRecord(options)) throw invalidOption('the options are no object');
  for (const [name, value] of Object.entries(options)) {
    const why = value === undefined ? undefined : CHECKS[name]?.(value);
    if (why !== undefined) throw invalidOption(`its option ${name} ${why}`);
  }
}

/** The error of an option that makes no sense. */
export function invalidOption(why: string): LakeletError {
  return new LakeletError('INVALID_OPTION', `The table can't be used so: ${why}`);
}
