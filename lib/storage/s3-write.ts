import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { fileError } from './file-errors.ts';
import type { S3Connection } from './s3-client.ts';
import { checkAnswer } from './s3-errors.ts';
import type { S3Object } from './s3-read.ts';
import { statusOf } from './s3-retry.ts';
import { idMetadata, writeIdOf } from './s3-write-id.ts';

/** Bytes of a part of a large upload, and up to how many a file is sent in one request. */
const PART_BYTES = 16 * 1024 ** 2;

/** How many parts S3 takes at most. */
const MOST_PARTS = 10_000;

/** Parts under way at once; with {@link PART_BYTES} the memory that an upload takes. */
const PARTS_AT_ONCE = 4;

/** Writes or replaces an object. Throws what the SDK throws. */
export async function writeObject(connection: S3Connection, object: S3Object, body: Uint8Array): Promise<void> {
  const { client, sdk, server } = connection;
  const { ETag } = await client.send(new sdk.PutObjectCommand({ ...object, Body: body }));
  checkAnswer(server, ETag);
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
    params: { ...object, Body: file, ContentLength: size, Metadata: idMetadata(id) },
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
