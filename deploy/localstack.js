// A plugin of Serverless: what deploying to LocalStack (stage `local`) needs beside what AWS does.
import { CloudFormationClient, DeleteChangeSetCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DEPLOYMENT_BUCKET } from './settings.js';

export default class LocalStack {
  constructor(serverless) {
    this.hooks = {
      'before:deploy:deploy': async () => {
        const { provider } = serverless.service;
        if (provider.stage !== 'local') return;
        if (!process.env.AWS_ENDPOINT_URL) {
          throw new serverless.classes.Error(
            'Stage local is LocalStack: set AWS_ENDPOINT_URL to it, or name another stage to deploy to AWS.',
          );
        }
        // Under the name, clients would look for hosts like bucket.localhost.
        process.env.AWS_ENDPOINT_URL = process.env.AWS_ENDPOINT_URL.replace('//localhost', '//127.0.0.1');
        // The functions' S3, which may be another one than LocalStack's, where the packages go.
        delete process.env.AWS_ENDPOINT_URL_S3;
        await makeBucket(provider.region);
        const naming = serverless.getProvider('aws').naming;
        await forgetChangeSets(provider.region, naming.getStackName(), naming.getStackChangeSetName());
      },
    };
  }
}

/** No part of the stack: of a stack that was deleted and made again, LocalStack 4.7 gives the first one's bucket. */
async function makeBucket(region) {
  const client = new S3Client({ region, forcePathStyle: true });
  try {
    await client.send(new CreateBucketCommand({ Bucket: DEPLOYMENT_BUCKET }));
  } catch (error) {
    if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
  } finally {
    client.destroy();
  }
}

/** LocalStack 4.7 keeps the change sets of deleted stacks, and would take one of them for a new stack's. */
async function forgetChangeSets(region, stack, changeSet) {
  const client = new CloudFormationClient({ region });
  try {
    if (await isThere(() => client.send(new DescribeStacksCommand({ StackName: stack })))) return;
    const forget = () => client.send(new DeleteChangeSetCommand({ StackName: stack, ChangeSetName: changeSet }));
    while (await isThere(forget));
  } finally {
    client.destroy();
  }
}

/** Whether what the call is about exists. */
async function isThere(call) {
  try {
    await call();
    return true;
  } catch (error) {
    if (/does not exist/i.test(error.message)) return false;
    throw error;
  }
}
