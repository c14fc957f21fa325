import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { DeleteBucketCommand, DeleteObjectsCommand, ListObjectsV2Command, NoSuchBucket } from '@aws-sdk/client-s3';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { s3Client } from './buckets.ts';

/** Where the stack is, and what may end the wait for it. */
export interface StackOptions {
  /** CloudFormation's and the deployment's S3 endpoint, region and keys, by the AWS SDK's names. */
  readonly settings: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A stack of CloudFormation that is there. */
export interface Stack {
  /** Unlike its name no earlier stack's. */
  readonly id: string;
  /** CloudFormation's own word, for example `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

const WAIT_MS = 120_000;

/**
 * The stack once nothing changes it any more, or undefined where there is none.
 *
 * @throws LakeletError `STACK_BUSY`, `STACK_UNREACHABLE`, `CANCELLED`
 */
export async function settledStack(name: string, options: StackOptions): Promise<Stack | undefined> {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const stack = await stackNamed(name, options);
    if (stack === undefined || !stack.status.endsWith('_IN_PROGRESS') || stack.status === 'REVIEW_IN_PROGRESS') {
      return stack;
    }
    if (Date.now() > until) {
      throw new LakeletError(
        'STACK_BUSY',
        `The stack ${name} stays ${stack.status}: wait until it is done, or start LocalStack anew.`,
      );
    }
    await pause(options.signal);
  }
}

/**
 * Deletes the stack and what it made, and waits until it is gone.
 *
 * @returns whether there was one
 * @throws LakeletError `REMOVE_FAILED`, and those of {@link settledStack}
 */
export async function deleteStack(name: string, options: StackOptions): Promise<boolean> {
  if ((await settledStack(name, options)) === undefined) return false;
  await ask(options, (client) => client.send(new DeleteStackCommand({ StackName: name })));
  const left = await settledStack(name, options);
  if (left === undefined) return true;
  throw new LakeletError(
    'REMOVE_FAILED',
    `The stack ${name} is ${left.status} after it was deleted: LocalStack's log says what it could not delete; try again, or start LocalStack anew.`,
  );
}

/**
 * Deletes a bucket with what is in it; nothing where it is not there.
 *
 * @throws LakeletError `REMOVE_FAILED`
 */
export async function deleteBucket(bucket: string, { settings }: StackOptions): Promise<void> {
  const s3 = s3Client(settings);
  try {
    for (;;) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      if (Contents.length === 0) break;
      await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }),
      );
    }
    await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
  } catch (cause) {
    if (cause instanceof NoSuchBucket) return;
    throw new LakeletError(
      'REMOVE_FAILED',
      `The bucket ${printable(bucket, 100)} could not be deleted (${printable(messageOf(cause), 200)}): try again, or start LocalStack anew.`,
      { cause },
    );
  } finally {
    s3.destroy();
  }
}

/** What the stack of that id consists of. */
export async function stackResources(id: string, options: StackOptions): Promise<readonly StackResourceSummary[]> {
  return ask(options, async (client) => {
    const found: StackResourceSummary[] = [];
    for (let token: string | undefined; ; ) {
      const page = await client.send(
        new ListStackResourcesCommand({ StackName: id, ...(token !== undefined && { NextToken: token }) }),
      );
      found.push(...(page.StackResourceSummaries ?? []));
      token = page.NextToken;
      if (token === undefined) return found;
    }
  });
}

async function stackNamed(name: string, options: StackOptions): Promise<Stack | undefined> {
  return ask(options, async (client) => {
    try {
      const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
      const stack = Stacks?.[0];
      if (stack === undefined || stack.StackStatus === 'DELETE_COMPLETE') return undefined;
      const outputs = (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
      return { id: stack.StackId ?? name, status: stack.StackStatus ?? '', outputs: Object.fromEntries(outputs) };
    } catch (error) {
      if (/does not exist/i.test(messageOf(error))) return undefined;
      throw error;
    }
  });
}

async function ask<T>({ settings }: StackOptions, work: (client: CloudFormationClient) => Promise<T>): Promise<T> {
  const client = new CloudFormationClient({
    ...(settings.AWS_ENDPOINT_URL !== undefined && { endpoint: settings.AWS_ENDPOINT_URL }),
    region: settings.AWS_REGION ?? 'us-east-1',
    credentials: {
      accessKeyId: settings.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: settings.AWS_SECRET_ACCESS_KEY ?? '',
    },
  });
  try {
    return await work(client);
  } catch (cause) {
    throw new LakeletError(
      'STACK_UNREACHABLE',
      `CloudFormation at ${printable(settings.AWS_ENDPOINT_URL ?? 'AWS', 100)} did not do as asked (${printable(messageOf(cause), 200) || 'no answer'}): start the emulators by npm run emulators, and set what it prints.`,
      { cause },
    );
  } finally {
    client.destroy();
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(500, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new LakeletError('CANCELLED', 'The wait for CloudFormation was cancelled; what it began goes on there.', {
      cause,
    });
  }
}
