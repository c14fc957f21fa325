import { LakeletError, printable } from '../errors.ts';
import { checkKey } from './key.ts';

/** Where a store lies in S3. */
export interface S3Place {
  readonly bucket: string;
  /** What stands before every key: empty, or ending in one `/`. */
  readonly prefix: string;
}

/**
 * The bucket and prefix of `s3://bucket/prefix`, a `/` at its end or not. As with all S3 tools the prefix is the key's own
 * text, with nothing percent-encoded.
 *
 * @throws LakeletError `INVALID_URI`
 */
export function s3Place(uri: string): S3Place {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(uri) ?? [];
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
    throw new LakeletError('INVALID_URI', `"${printable(uri, 200)}" names no bucket; give s3://bucket/prefix`);
  }
  const bare = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  if (bare === '') return { bucket, prefix: '' };
  try {
    return { bucket, prefix: `${checkKey(bare)}/` };
  } catch (error) {
    const why = error instanceof LakeletError ? error.message : '';
    throw new LakeletError('INVALID_URI', `"${printable(uri, 200)}" names no place in a bucket: ${why}`, {
      cause: error,
    });
  }
}
