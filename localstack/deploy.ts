import { join } from 'node:path';
import { LakeletError, printable } from '../lib/errors.ts';
import { withLock } from './lock.ts';
import { runServerless } from './serverless.ts';
import { projectFolder } from './settings.ts';
import { deleteBucket, deleteStack, type StackOptions, settledStack, stackResources } from './stack.ts';

/** The stack of stage `local`, and the state machine's name. */
const STACK = 'lakelet-local';
/** Where Serverless puts the packages for it; deploy/settings.js names it. */
const DEPLOYMENT_BUCKET = 'lakelet-local-packages';
/** From these states CloudFormation leads no stack to another deployment. */
const DEAD_ENDS = /^(REVIEW_IN_PROGRESS|CREATE_FAILED|ROLLBACK_.*|UPDATE_FAILED|UPDATE_ROLLBACK_FAILED|DELETE_FAILED)$/;

/** What to deploy to, and whom to tell. */
export interface DeployOptions extends StackOptions {
  /**
   * LocalStack by `AWS_ENDPOINT_URL` (http://127.0.0.1:4566 where absent) and the AWS SDK's other names; and what the
   * functions get: `LAKE_URI` (s3://lakelet/lake where absent), `MLFLOW_…`, `LOG_LEVEL`, and `AWS_ENDPOINT_URL_S3` where
   * another server than LocalStack is their S3, to which the keys belong then.
   */
  readonly settings: Readonly<Record<string, string>>;
  /** Told the steps, one line each. */
  readonly say: (line: string) => void;
}

/** What was deployed. */
export interface Deployment {
  readonly stateMachineArn: string;
  /** The functions' names on LocalStack (`lakelet-local-bronze`) by their names in serverless.yml (`bronze`). */
  readonly functions: Readonly<Record<string, string>>;
}

/**
 * Deploys serverless.yml to LocalStack: the functions, the state machine and their roles. What is there already is
 * changed where it differs; what an earlier deployment left unfinished is removed first.
 *
 * @throws LakeletError `CONFIG_INVALID`, `DEPLOY_FAILED`, `STACK_UNREACHABLE`, `STACK_BUSY`, `REMOVE_FAILED`, `CANCELLED`
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const settings = completed(options.settings);
  if (!settings.LAKE_URI.startsWith('s3://')) {
    throw new LakeletError(
      'CONFIG_INVALID',
      `LAKE_URI is ${printable(settings.LAKE_URI, 100)}: Lambdas share no folder, so give s3://bucket/prefix.`,
    );
  }
  const { say, signal } = options;
  const wait = { say, ...(signal !== undefined && { signal }) };
  // Serverless packages in folders of the project's own.
  return withLock(join(projectFolder(), '.lakelet', 'deploy.lock'), () => deployAlone({ ...options, settings }), wait);
}

/**
 * Removes what {@link deploy} made, and nothing else: the lake stays.
 *
 * @returns false where nothing was there
 * @throws LakeletError `REMOVE_FAILED`, `STACK_UNREACHABLE`, `STACK_BUSY`, `CANCELLED`
 */
export async function remove(options: DeployOptions): Promise<boolean> {
  const settings = completed(options.settings);
  options.say(`Removing ${STACK} from ${settings.AWS_ENDPOINT_URL} …`);
  const there = await deleteStack(STACK, ofLocalStack({ ...options, settings }));
  await deleteBucket(DEPLOYMENT_BUCKET, ofLocalStack({ ...options, settings }));
  options.say(there ? `${STACK} is removed; the lake is as it was.` : `${STACK} is not there.`);
  return there;
}

async function deployAlone(options: DeployOptions): Promise<Deployment> {
  const stackOptions = ofLocalStack(options);
  const before = await settledStack(STACK, stackOptions);
  if (before !== undefined && DEAD_ENDS.test(before.status)) {
    options.say(`${STACK} is ${before.status} since an earlier deployment: removing it first …`);
    await deleteStack(STACK, stackOptions);
  }
  options.say(
    `Deploying ${STACK} to ${options.settings.AWS_ENDPOINT_URL}, with the lake at ${options.settings.LAKE_URI} …`,
  );
  await runServerless(['deploy', '--stage', 'local'], options);
  const stack = await settledStack(STACK, stackOptions);
  if (stack === undefined) throw gone();
  const resources = await stackResources(stack.id, stackOptions);
  const names = resources.flatMap(({ ResourceType, PhysicalResourceId = '' }) =>
    ResourceType === 'AWS::Lambda::Function' ? [PhysicalResourceId] : [],
  );
  return {
    stateMachineArn: stack.outputs.StateMachineArn ?? '',
    functions: Object.fromEntries(names.map((name) => [name.slice(`${STACK}-`.length), name])),
  };
}

function gone(): LakeletError {
  return new LakeletError('DEPLOY_FAILED', `${STACK} was removed while it was deployed: deploy it again.`);
}

/** The packages lie in LocalStack's own S3, whichever holds the lake. */
function ofLocalStack({ settings, signal }: DeployOptions): StackOptions {
  const { AWS_ENDPOINT_URL_S3: _, ...rest } = settings;
  return { settings: rest, ...(signal !== undefined && { signal }) };
}

/** What holds where the caller's settings say nothing. */
const DEFAULTS = {
  AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
  AWS_REGION: 'us-east-1',
  // LocalStack takes any keys.
  AWS_ACCESS_KEY_ID: 'lakelet',
  AWS_SECRET_ACCESS_KEY: 'lakelet-secret',
  LAKE_URI: 's3://lakelet/lake',
};

/** The settings of a deployment: the caller's, and the emulators' usual ones where that has none. */
function completed(given: Readonly<Record<string, string>>): Record<string, string> & typeof DEFAULTS {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const settings = { ...DEFAULTS, ...set };
  // Under the name, clients would look for hosts like bucket.localhost.
  return { ...settings, AWS_ENDPOINT_URL: settings.AWS_ENDPOINT_URL.replace('//localhost', '//127.0.0.1') };
}
