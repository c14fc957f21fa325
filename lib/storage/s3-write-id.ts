/**
 * Writes whose success must be known carry an id of their own in the object's metadata, because the answer to one can be
 * lost, and an SDK, a proxy or this code may send it twice: whoever finds the id in the object knows that its own write took
 * effect, also where another writer wrote the very same bytes.
 */
import type { S3Connection } from './s3-client.ts';
import { objectMetadata, type S3Object } from './s3-read.ts';

/** The metadata (`x-amz-meta-…`) that holds the id. */
const WRITE_ID = 'lakelet-write';

/** The metadata of a write with this id. */
export function idMetadata(id: string): Record<string, string> {
  return { [WRITE_ID]: id };
}

/** Whose write the object is; `unknown` where it has no id, undefined where there is no object. Throws what the SDK throws. */
export async function writeIdOf(connection: S3Connection, object: S3Object): Promise<string | undefined> {
  const metadata = await objectMetadata(connection, object);
  return metadata && (metadata[WRITE_ID] ?? 'unknown');
}
