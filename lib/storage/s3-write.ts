/**
 * Writing to S3. Every write carries an id of its own in the object's metadata, because the answer to one can be lost, and
 * an SDK, a proxy or this code may send it twice: whoever finds the id in the object knows that its own write took effect,
 * also where another writer wrote the very same bytes.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { LakeletError } from '../errors.ts';
import { fileError } from './file-errors.ts';
import type { S3Connection } from './s3-client.ts';
import { checkAnswer, isPreconditionFailed } from './s3-errors.ts';
import { objectMetadata, type S3Object } from './s3-read.ts';
import { statusOf } from './s3-retry.ts';

/** The metadata (`x-amz-meta-…`) that holds the id of a write. */
const WRITE_ID = 'lakelet-write';

/** Bytes of a part of a large upload, and up to how many a file is sent in one request. */
const PART_BYTES = 16 * 1024 ** 2;

/** How many parts S3 takes at most. */
const MOST_PARTS = 10_000;

/** Parts under way at once; with {@link PART_BYTES} the memory that an upload takes. */
const PARTS_AT_ONCE = 4;

/** How often a conditional write is begun anew because its object came and went. */
const ROUNDS = 10;

/** Whose write the object is; undefined where there is none. Throws what the SDK throws. */
async function writeIdOf(connection: S3Connection, object: S3Object): Promise<string | undefined> {
  const metadata = await objectMetadata(connection, object);
  return metadata && (metadata[WRITE_ID] ?? 'unknown');
}

/** Writes or replaces an object. Throws what the SDK throws. */
export async function writeObject(connection: S3Connection, object: S3Object, body: Uint8Array): Promise<void> {
  const { client, sdk, server } = connection;
  const { ETag } = await client.send(new sdk.PutObjectCommand({ ...object, Body: body }));
  checkAnswer(server, ETag);
}

/**
 * Writes an object unless it is there; true for the one writer whose bytes it has. A refusal is looked into each time: the
 * write that it found there may be this very one, sent twice on its way. Throws what the SDK throws.
 */
export async function writeIfAbsent(connection: S3Connection, object: S3Object, body: Uint8Array): Promise<boolean> {
  const { client, sdk, server } = connection;
  const id = randomUUID();
  const put = { ...object, Body: body, IfNoneMatch: '*', Metadata: { [WRITE_ID]: id } };
  for (let round = 0; round < ROUNDS; round++) {
    try {
      const { ETag } = await client.send(new sdk.PutObjectCommand(put));
      checkAnswer(server, ETag);
      return true;
    } catch (error) {
      if (!isPreconditionFailed(error)) throw error;
    }
    const holder = await writeIdOf(connection, object);
    if (holder !== undefined) return holder === id;
  }
  throw new LakeletError(
    'STORE_FAILED',
    `s3://${object.Bucket}/${object.Key} came and went ${ROUNDS} times while it was written; see who else writes there`,
    { retryable: true },
  );
}

/**
 * Writes or replaces an object from a local file: in one request, or in parts, four at a time. What an upload in parts left
 * behind is removed when it fails. Throws what the SDK throws, and file errors as {@link LakeletError}s.
 */
export async function writeFileObject(connection: S3Connection, object: S3Object, localPath: string): Promise<void> {
  let size: number;
  let whole: Uint8Array | undefined;
  try {
    ({ size } = await stat(localPath));
    if (size <= PART_BYTES) whole = await readFile(localPath);
  } catch (error) {
    throw fileError(error, 'read', localPath);
  }
  if (whole !== undefined) return writeObject(connection, object, whole);
  await uploadParts(connection, object, localPath, size);
}

async function uploadParts(connection: S3Connection, object: S3Object, localPath: string, size: number): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const id = randomUUID();
  const file = createReadStream(localPath, { highWaterMark: 1024 ** 2 });
  const upload = new Upload({
    client: connection.client,
    params: { ...object, Body: file, ContentLength: size, Metadata: { [WRITE_ID]: id } },
    partSize: Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS)),
    queueSize: PARTS_AT_ONCE,
  });
  try {
    await upload.done();
  } catch (error) {
    // Where only the answer to the last request was lost, another like it finds the upload done and gone.
    if (statusOf(error) === 404 && (await writeIdOf(connection, object)) === id) return;
    throw file.errored === null ? error : fileError(file.errored, 'read', localPath);
  } finally {
    file.destroy();
  }
}
