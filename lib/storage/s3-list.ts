import { LakeletError, printable } from '../errors.ts';
import { compareKeys, isKey } from './key.ts';
import type { ObjectInfo } from './object-store.ts';
import type { S3Connection } from './s3-client.ts';
import { checkAnswer } from './s3-errors.ts';
import type { S3Place } from './s3-uri.ts';

/**
 * A key as a listing gives it: percent-encoded, because XML cannot hold every character, with spaces as `+` on some
 * servers.
 */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', '%20'));
}

/**
 * The objects of a place whose key begins with `prefix` and comes after `startAfter`, a thousand a request. What no store
 * could hold under such a key is left out: the folder markers of some tools (`a/`), and reserved names.
 *
 * @throws LakeletError `NOT_SUPPORTED` where the server lists in another order than that of UTF-8's bytes, since commits
 * would be overlooked then; what the SDK throws
 */
export async function* listObjects(
  connection: S3Connection,
  place: S3Place,
  prefix: string,
  startAfter: string,
): AsyncGenerator<ObjectInfo> {
  const { client, sdk } = connection;
  const full = place.prefix + prefix;
  // Everything before the prefix can be skipped as well; a key that equals the prefix must not.
  const after = startAfter === '' ? undefined : place.prefix + startAfter;
  let last = '';
  let token: string | undefined;
  do {
    const page = await client.send(
      new sdk.ListObjectsV2Command({
        Bucket: place.bucket,
        Prefix: full,
        EncodingType: 'url',
        ...(token === undefined ? after !== undefined && { StartAfter: after } : { ContinuationToken: token }),
      }),
    );
    checkAnswer(connection.server, page.IsTruncated);
    for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
      if (Key === undefined) continue;
      const key = page.EncodingType === 'url' ? decodeKey(Key) : Key;
      if (!key.startsWith(full) || (after !== undefined && compareKeys(key, after) <= 0)) continue;
      if (compareKeys(key, last) <= 0) throw unordered(connection, place, key, last);
      last = key;
      const own = key.slice(place.prefix.length);
      if (isKey(own)) yield { key: own, size: Size, lastModified: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

function unordered({ server }: S3Connection, { bucket }: S3Place, key: string, last: string): LakeletError {
  return new LakeletError(
    'NOT_SUPPORTED',
    `${printable(server, 200)} lists the bucket ${bucket} out of order (${printable(key, 100)} after ${printable(last, 100)}); choose a general purpose bucket, since a table's log is read in order`,
  );
}
