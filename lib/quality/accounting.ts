import { LakeletError, printable } from '../errors.ts';

/** What became of records: `in = good + quarantined + duplicates + rejected`. */
export interface Accounting {
  /** Records that were delivered. */
  readonly in: number;
  /** Records that silver holds. */
  readonly good: number;
  /** Records that the quarantine holds. */
  readonly quarantined: number;
  /** Records that a later correction, or the same record delivered earlier, made superfluous. */
  readonly duplicates: number;
  /** Lines of files that could not be read as records. */
  readonly rejected: number;
}

/**
 * Holds records in to records accounted for.
 *
 * @param what whose records, for the message, for example `run r1` or `bronze/purchases`
 * @throws LakeletError `ACCOUNTING_BROKEN`
 */
export function checkAccounting(accounting: Accounting, what: string): void {
  const { good, quarantined, duplicates, rejected } = accounting;
  const out = good + quarantined + duplicates + rejected;
  const counts = [accounting.in, good, quarantined, duplicates, rejected];
  if (accounting.in === out && counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return;
  throw new LakeletError(
    'ACCOUNTING_BROKEN',
    `${printable(what)}: ${accounting.in} records came in, but ${good} good + ${quarantined} quarantined + ${duplicates} duplicates + ${rejected} rejected make ${out}. Nothing was published; please report this with the run's log.`,
  );
}
