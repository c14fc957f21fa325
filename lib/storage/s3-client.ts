import type { S3Client } from '@aws-sdk/client-s3';
import { awsPlace } from '../aws.ts';
import { patientRetries } from './s3-retry.ts';

/** Milliseconds to make a connection. */
const CONNECT_TIMEOUT = 5_000;

/** Milliseconds in which nothing moves on a connection before its peer is taken for dead. */
const IDLE_TIMEOUT = 30_000;

/** Connections at once; further requests wait for one. */
const CONNECTIONS = 64;

/** The SDK, and this process's client made with it. */
export interface S3Connection {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  /** How messages name the server: the endpoint that is set, or AWS and the region. */
  readonly server: string;
  /** The buckets that are known to be there. */
  readonly buckets: Set<string>;
  /** The buckets that are known to honour conditional puts. */
  readonly conditional: Set<string>;
}

/**
 * Connects to S3 as the SDK's own settings say (environment and profiles: endpoint, region, credentials), and no others.
 * Where an endpoint is set, buckets are named in the path, since most other servers have no host name for each. Where no
 * region is set it is us-east-1, which other servers take, and on AWS the bucket's own region is learnt from its answer.
 */
export async function connectS3(): Promise<S3Connection> {
  const sdk = await import('@aws-sdk/client-s3');
  const { endpoint, region, place } = await awsPlace(new sdk.S3Client({}).config);
  const agent = { keepAlive: true, maxSockets: CONNECTIONS };
  const client = new sdk.S3Client({
    region,
    ...(endpoint !== undefined && { endpoint }),
    followRegionRedirects: true,
    forcePathStyle: endpoint !== undefined,
    retryStrategy: patientRetries(),
    // It would ask before each body of 2 MiB and more, over a connection that is made for it alone.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      socketTimeout: IDLE_TIMEOUT,
      // Requests beyond the connections wait, which is meant; by default the SDK prints a warning of it.
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  return { sdk, client, server: place, buckets: new Set(), conditional: new Set() };
}

let shared: Promise<S3Connection> | undefined;

/** The connection that all stores of this process share; made, and the SDK loaded, at its first use. */
export function sharedS3(): Promise<S3Connection> {
  shared ??= connectS3().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}
