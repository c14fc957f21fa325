import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteRange, ObjectInfo } from './object-store.ts';
import { resolveRange } from './range.ts';
import type { S3Connection } from './s3-client.ts';
import { checkAnswer, isNoObject, isRangeBeyondEnd, isUnexplained } from './s3-errors.ts';
import { isPassing, pause } from './s3-retry.ts';

/** An object by its bucket and full key. */
export interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
}

/** How often an answer that breaks off in the middle of its body is asked for again. */
const BODY_ATTEMPTS = 8;

const NOTHING = new Uint8Array();

/** Size and time of an object; undefined where there is none. Throws what the SDK throws. */
export async function headObject(
  connection: S3Connection,
  object: S3Object,
): Promise<Omit<ObjectInfo, 'key'> | undefined> {
  const found = await headers(connection, object);
  return found && { size: found.ContentLength ?? 0, lastModified: found.LastModified?.getTime() ?? 0 };
}

/** The metadata of an object; undefined where there is none. Throws what the SDK throws. */
export async function objectMetadata(
  connection: S3Connection,
  object: S3Object,
): Promise<Readonly<Record<string, string>> | undefined> {
  const found = await headers(connection, object);
  return found && (found.Metadata ?? {});
}

async function headers({ client, sdk, server }: S3Connection, object: S3Object) {
  try {
    const answer = await client.send(new sdk.HeadObjectCommand(object));
    checkAnswer(server, answer.ETag);
    return answer;
  } catch (error) {
    if (isNoObject(error)) return undefined;
    // A refused HEAD does not say why; a GET does.
    if (isUnexplained(error)) {
      const { Body } = await client.send(new sdk.GetObjectCommand({ ...object, Range: 'bytes=0-0' }));
      await Body?.transformToByteArray();
    }
    throw error;
  }
}

/**
 * The bytes of an object, or of the part of a range that it has; undefined where there is no such object.
 *
 * @throws LakeletError `INVALID_RANGE`; what the SDK throws
 */
export async function readObject(
  connection: S3Connection,
  object: S3Object,
  range: ByteRange | undefined,
): Promise<Uint8Array | undefined> {
  // Also checks the range, which no request should do for us.
  const { start, end } = resolveRange(range, Number.MAX_SAFE_INTEGER);
  const needsSize = range !== undefined && ((range.start < 0 && range.end !== undefined) || start === end);
  if (needsSize) {
    const size = (await headObject(connection, object))?.size;
    if (size === undefined) return undefined;
    const clipped = resolveRange(range, size);
    if (clipped.start === clipped.end) return NOTHING.slice();
    return readBody(connection, object, clipped, rangeHeader(clipped));
  }
  return readBody(connection, object, range, range === undefined ? undefined : rangeHeader(range));
}

function rangeHeader({ start, end }: ByteRange): string {
  if (start < 0) return `bytes=${start}`;
  return `bytes=${start}-${end === undefined ? '' : end - 1}`;
}

async function readBody(
  { client, sdk, server }: S3Connection,
  object: S3Object,
  range: ByteRange | undefined,
  header: string | undefined,
): Promise<Uint8Array | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await client.send(
        new sdk.GetObjectCommand({ ...object, ...(header !== undefined && { Range: header }) }),
      );
      checkAnswer(server, answer.ETag);
      const body = (await answer.Body?.transformToByteArray()) ?? NOTHING.slice();
      // A server may ignore a range, and answer with the whole.
      if (range === undefined || answer.ContentRange !== undefined) return body;
      const { start, end } = resolveRange(range, body.length);
      return body.slice(start, end);
    } catch (error) {
      if (isNoObject(error)) return undefined;
      if (isRangeBeyondEnd(error)) return NOTHING.slice();
      // The SDK has made the request again as often as it may; what passes here broke off within the body.
      if (!isPassing(error) || !brokeOff(error) || attempt === BODY_ATTEMPTS) throw error;
      await sleep(pause(attempt));
    }
  }
}

/** Whether a failure came after the answer had begun: the SDK counts the attempts of a request that failed before. */
function brokeOff(error: unknown): boolean {
  return typeof error === 'object' && error !== null && !('$metadata' in error);
}
