import { LakeletError, printable } from '../errors.ts';

/** The longest key that every store takes, in UTF-8 bytes (S3's limit). */
export const MAX_KEY_BYTES = 1024;

/** What a store's own unfinished files begin with. Delta readers ignore names with a leading dot, listings leave them out. */
export const RESERVED_NAME = '.lakelet-';

function refuse(key: string, why: string): never {
  throw new LakeletError(
    'INVALID_KEY',
    `The key "${printable(key, 200)}" ${why}; keys are relative paths with "/" between their parts`,
  );
}

function checkParts(key: string, parts: readonly string[]): void {
  for (const part of parts) {
    if (part === '') refuse(key, 'has an empty part');
    if (part === '.' || part === '..') refuse(key, `has the part "${part}"`);
    if (part.startsWith(RESERVED_NAME))
      refuse(key, `has a part that begins with "${RESERVED_NAME}", which is reserved`);
  }
}

function checkCharacters(key: string): void {
  if (key.includes('\0')) refuse(key, 'has a NUL character');
  // A lone surrogate has no UTF-8 form: two such keys would become one file.
  if (/\p{Surrogate}/u.test(key)) refuse(key, 'is not well-formed Unicode');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) refuse(key, `is longer than ${MAX_KEY_BYTES} bytes`);
}

/**
 * Returns the key as it is. Throws `INVALID_KEY` for what could name something outside the root (`..`, a leading `/`), is
 * no name in some store (empty parts, NUL, lone surrogates, over {@link MAX_KEY_BYTES}), or is reserved.
 */
export function checkKey(key: string): string {
  if (key === '') refuse(key, 'is empty');
  checkCharacters(key);
  checkParts(key, key.split('/'));
  return key;
}

/** Whether {@link checkKey} takes the key. */
export function isKey(key: string): boolean {
  try {
    checkKey(key);
    return true;
  } catch {
    return false;
  }
}

/** Like {@link checkKey} for the start of keys: it may be empty and may end anywhere, also within a part. */
export function checkPrefix(prefix: string): string {
  checkCharacters(prefix);
  checkParts(prefix, prefix.split('/').slice(0, -1));
  return prefix;
}

/** `prefix` as what stands before every key of a store rooted there: empty, or ending in one `/`. */
export function rootPrefix(prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return bare === '' ? '' : `${checkKey(bare)}/`;
}

/** The order of two keys by their UTF-8 bytes: negative, zero or positive. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 puts surrogates (U+10000 and up) before U+E000 to U+FFFF; UTF-8 puts them after.
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    if (xHigh !== yHigh) return xHigh ? (y >= 0xe000 ? 1 : x - y) : x >= 0xe000 ? -1 : x - y;
    return x - y;
  }
  return a.length - b.length;
}
