import { InvalidArgumentError } from 'commander';

/** A parser for a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`Give a whole number ${range}.`);
    }
    return value;
  };
}

/** For an option that may be given again: all its values in order. */
export function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** A parser for `a,b,c`. */
export function commaSeparated(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('Give names with commas between them.');
  return names;
}

/** Splits `NAME=VALUE` at its first `=`. */
export function named(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('Give NAME=VALUE.');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
