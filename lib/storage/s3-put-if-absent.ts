import { randomUUID } from 'node:crypto';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { LakeletError, printable } from '../errors.ts';
import type { S3Connection } from './s3-client.ts';
import { checkAnswer, isPreconditionFailed } from './s3-errors.ts';
import type { S3Object } from './s3-read.ts';
import { isPassing } from './s3-retry.ts';
import { idMetadata, writeIdOf } from './s3-write-id.ts';

/** How often a write is begun anew because its object came and went. */
const ROUNDS = 10;

/**
 * Writes an object unless it is there; true for the one writer whose bytes it has. A refusal is looked into each time: the
 * write that it found there may be this very one, sent twice on its way.
 *
 * @throws LakeletError `NOT_SUPPORTED` where the server is found to ignore the condition; what the SDK throws
 */
export async function writeIfAbsent(connection: S3Connection, object: S3Object, body: Uint8Array): Promise<boolean> {
  const id = randomUUID();
  const put = { ...object, Body: body, IfNoneMatch: '*', Metadata: idMetadata(id) };
  for (let round = 0; round < ROUNDS; round++) {
    if (await isTaken(connection, put)) {
      await proveCondition(connection, put);
      return true;
    }
    const holder = await writeIdOf(connection, object);
    if (holder !== undefined) return holder === id;
  }
  throw new LakeletError(
    'STORE_FAILED',
    `${shown(object)} came and went ${ROUNDS} times while it was written; see who else writes there`,
    { retryable: true },
  );
}

/** Sends a conditional write; false where the server refuses it because the object is there. */
async function isTaken(
  { client, sdk, server, conditional }: S3Connection,
  put: PutObjectCommandInput,
): Promise<boolean> {
  try {
    const { ETag } = await client.send(new sdk.PutObjectCommand(put));
    checkAnswer(server, ETag);
    return true;
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
    conditional.add(String(put.Bucket));
    return false;
  }
}

/**
 * Makes sure, once a process and bucket, that the server honours the condition: some ignore what they do not know, and
 * would let a commit be overwritten without a word. The write that has just taken effect is sent once more, and must be
 * refused; a server that takes it has the same object as before.
 */
async function proveCondition(connection: S3Connection, put: PutObjectCommandInput): Promise<void> {
  if (connection.conditional.has(String(put.Bucket))) return;
  try {
    // Twice, because the object may have been deleted by others in between.
    for (let again = 0; again < 2; again++) if (!(await isTaken(connection, put))) return;
  } catch (error) {
    // The object is written; the next write is a proof as good as this one.
    if (isPassing(error)) return;
    throw error;
  }
  throw new LakeletError(
    'NOT_SUPPORTED',
    `${printable(connection.server, 200)} ignores the condition of conditional puts (If-None-Match: *), as writing ${shown(put)} showed: two writers at once would lose data; choose a server that honours it, lakelet doctor examines one`,
  );
}

function shown({ Bucket, Key }: Pick<PutObjectCommandInput, 'Bucket' | 'Key'>): string {
  return printable(`s3://${Bucket}/${Key}`, 300);
}
