import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { makeBuckets, s3Client } from '../../localstack/buckets.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { Checkout, type Ended } from '../checkout.ts';

const LIMIT_MS = 300_000;
const STATE_MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:lakelet-local';

let home: string;
let checkout: Checkout;
let localstack: RunningServer | undefined;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakelet-deploy-'));
  checkout = new Checkout({ emulators: true });
  localstack = await startLocalStack({ home });
  await makeBuckets(localstack.settings, ['lakelet']);
}, LIMIT_MS);

afterAll(async () => {
  await localstack?.stop();
  checkout?.remove();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

/** The client's settings for the LocalStack that runs. */
function client() {
  return {
    endpoint: localstack?.settings.AWS_ENDPOINT_URL ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'lakelet', secretAccessKey: 'lakelet-secret' },
  };
}

/** `npm run deploy:local`, or `remove:local` by `--remove`, as its script; `untilLine` kills it at a line that it says. */
async function deployLocal(args: string[], env: Record<string, string> = {}, untilLine?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, [join(checkout.folder, 'localstack', 'deploy-local.ts'), ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, ...localstack?.settings, LAKE_URI: 's3://lakelet/lake', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    detached: true,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
    if (untilLine?.test(err) && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, out, err };
}

async function bronzeEnvironment(): Promise<Record<string, string>> {
  const lambda = new LambdaClient(client());
  const name = 'lakelet-local-bronze';
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  lambda.destroy();
  return Environment?.Variables ?? {};
}

async function invoke(name: string, event: object): Promise<{ error: string | undefined; answer: unknown }> {
  const lambda = new LambdaClient(client());
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }),
  );
  lambda.destroy();
  return { error: FunctionError, answer: JSON.parse(new TextDecoder().decode(Payload)) };
}

/** Runs the state machine to its end. */
async function execute(input: object): Promise<{ status: string | undefined; output: unknown }> {
  const sfn = new SFNClient(client());
  const start = new StartExecutionCommand({ stateMachineArn: STATE_MACHINE, input: JSON.stringify(input) });
  const { executionArn } = await sfn.send(start);
  for (;;) {
    const { status, output, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'RUNNING') {
      await new Promise((resolve) => setTimeout(resolve, 300));
      continue;
    }
    sfn.destroy();
    return { status, output: output === undefined ? cause : JSON.parse(output) };
  }
}

async function objects(bucket: string, prefix: string): Promise<string[]> {
  const s3 = s3Client(localstack?.settings ?? {});
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  s3.destroy();
  return Contents.map(({ Key = '' }) => Key);
}

/** A stack of the same name that failed to come to be. */
async function failedStack(): Promise<void> {
  const cloudFormation = new CloudFormationClient(client());
  const broken = { Type: 'AWS::Lambda::Function', Properties: { Role: 'nobody', Handler: 'x.y', Code: {} } };
  const template = JSON.stringify({ Resources: { Broken: broken } });
  await cloudFormation.send(new CreateStackCommand({ StackName: 'lakelet-local', TemplateBody: template }));
  for (;;) {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'lakelet-local' }));
    if (Stacks?.[0]?.StackStatus?.endsWith('IN_PROGRESS') === false) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  cloudFormation.destroy();
}

describe('npm run deploy:local', () => {
  it(
    'deploys over what failed, and over what was killed in the middle',
    async () => {
      await failedStack();
      const killed = await deployLocal([], {}, /Uploading service/);
      expect(killed.code).toBeNull();
      expect(killed.err).toContain('removing it first');

      const { code, err } = await deployLocal([]);
      expect(err).toContain(STATE_MACHINE);
      expect(err).toContain('lakelet-local-bronze, lakelet-local-silver, lakelet-local-gold');
      expect(code).toBe(0);
    },
    LIMIT_MS,
  );

  it('has functions that work on the lake in the bucket', async () => {
    const { error, answer } = await invoke('lakelet-local-bronze', { runId: 'invoked', rows: 50 });
    expect(error).toBeUndefined();
    expect(answer).toEqual(expect.objectContaining({ runId: 'invoked', step: 'bronze' }));
    expect(await objects('lakelet', 'lake/bronze/purchases/_delta_log/')).toContain(
      'lake/bronze/purchases/_delta_log/00000000000000000000.json',
    );
  });

  it('has a state machine whose runs succeed, in one part and in several', async () => {
    for (const shards of [1, 3]) {
      const { status, output } = await execute({ runId: `run-${shards}`, rows: 600, seed: shards, shards, trees: 5 });
      expect(output).toEqual(
        expect.objectContaining({
          runId: `run-${shards}`,
          bronze: expect.objectContaining({ delivered: expect.objectContaining({ rows: 600 }) }),
        }),
      );
      expect(status).toBe('SUCCEEDED');
    }
  });

  it(
    'leaves what is unchanged, and changes what is not',
    async () => {
      expect((await deployLocal([])).err).toContain('No changes');
      expect(await bronzeEnvironment()).not.toHaveProperty('LOG_LEVEL');

      const settings = {
        LOG_LEVEL: 'warn',
        MLFLOW_EXPERIMENT_NAME: 'trial',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      };
      const { code, err } = await deployLocal([], settings);
      expect(err).not.toContain('No changes');
      expect(code).toBe(0);
      expect(await bronzeEnvironment()).toEqual({
        LAKE_URI: 's3://lakelet/lake',
        AWS_ACCESS_KEY_ID: 'lakelet',
        AWS_SECRET_ACCESS_KEY: 'lakelet-secret',
        AWS_SESSION_TOKEN: '',
        ...settings,
      });
    },
    LIMIT_MS,
  );

  it(
    'removes all that it made and nothing of the lake, as often as asked, and deploys again after that',
    async () => {
      const before = await objects('lakelet', '');
      expect((await deployLocal(['--remove'])).code).toBe(0);
      await expect(invoke('lakelet-local-bronze', {})).rejects.toThrow('not found');
      await expect(execute({})).rejects.toThrow(/does not exist/i);
      await expect(objects('lakelet-local-packages', '')).rejects.toThrow('does not exist');
      expect(await objects('lakelet', '')).toEqual(before);

      const again = await deployLocal(['--remove'], { LAKE_URI: './lake' });
      expect(again.err).toContain('is not there');
      expect(again.code).toBe(0);

      expect((await deployLocal([])).code).toBe(0);
      expect((await invoke('lakelet-local-bronze', { runId: 'invoked', rows: 50 })).error).toBeUndefined();
    },
    LIMIT_MS,
  );

  it('says in one line what it can not do', async () => {
    const nobody = await deployLocal([], { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(nobody.err).toMatch(/^error STACK_UNREACHABLE: .*npm run emulators.*\n$/);
    expect(nobody.code).toBe(1);
    const folder = await deployLocal([], { LAKE_URI: './lake' });
    expect(folder.err).toMatch(/^error CONFIG_INVALID: LAKE_URI .*\n$/);
    expect(folder.code).toBe(1);
    expect((await deployLocal(['--force'])).code).toBe(2);
  });
});
