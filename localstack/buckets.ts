import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';

/**
 * Makes the buckets that are not there yet.
 *
 * @param settings the S3 server's, by the AWS SDK's names
 * @throws LakeletError `BUCKET_FAILED`
 */
export async function makeBuckets(
  settings: Readonly<Record<string, string>>,
  buckets: readonly string[],
): Promise<void> {
  const client = s3Client(settings);
  try {
    for (const bucket of buckets) await makeBucket(client, bucket);
  } finally {
    client.destroy();
  }
}

/** A client of the S3 server that the settings name, whatever the environment says. */
export function s3Client(settings: Readonly<Record<string, string>>): S3Client {
  const endpoint = settings.AWS_ENDPOINT_URL_S3 ?? settings.AWS_ENDPOINT_URL;
  return new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    region: settings.AWS_REGION ?? 'us-east-1',
    credentials: {
      accessKeyId: settings.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: settings.AWS_SECRET_ACCESS_KEY ?? '',
    },
    // An emulator on 127.0.0.1 has no host name for each bucket.
    forcePathStyle: true,
  });
}

async function makeBucket(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'BucketAlreadyOwnedByYou') return;
    throw new LakeletError(
      'BUCKET_FAILED',
      `The bucket ${printable(bucket, 100)} could not be made (${printable(messageOf(cause), 200)}): see the S3 server's log.`,
      { cause },
    );
  }
}
