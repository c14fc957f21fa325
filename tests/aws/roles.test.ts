import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { startMinio } from '../../localstack/minio.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { Packaged, type Template } from './packaged.ts';
import { entriesOf, unpack } from './zip.ts';

const run = promisify(execFile);

let folder: string;
let template: Template;
let minio: RunningServer | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-roles-'));
  const packaged = new Packaged();
  try {
    expect((await packaged.package('--stage', 'prod')).code).toBe(0);
    template = packaged.template;
    unpack(entriesOf(packaged.zip), join(folder, 'task'));
  } finally {
    packaged.remove();
  }
  minio = await startMinio({ home: join(folder, 'minio'), buckets: ['lakelet'] });
}, 300_000);

afterAll(async () => {
  await minio?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: { readonly StringLikeIfExists: object };
}

/** What a role may do on S3 as a policy that MinIO understands, with the lake in the bucket `lakelet`. */
function s3Policy(role: string): string {
  const [policy] = template.Resources[role]?.Properties.Policies ?? [];
  const statements: Statement[] = policy.PolicyDocument.Statement;
  const ours = statements.filter(({ Action }) => [Action].flat().every((action) => action.startsWith('s3:')));
  expect(ours).not.toEqual([]);
  const plain = ours.map((statement) => ({ ...statement, Resource: resolved(statement.Resource) }));
  return JSON.stringify({ Version: '2012-10-17', Statement: plain.flatMap(withoutIfExists) });
}

/** MinIO has no …IfExists: it is what holds where the key is, and where there is none. */
function withoutIfExists(statement: Statement): object[] {
  const { Condition, ...rest } = statement;
  if (Condition === undefined) return [rest];
  return [
    { ...rest, Condition: { StringLike: Condition.StringLikeIfExists } },
    { ...rest, Condition: { Null: { 's3:prefix': 'true' } } },
  ];
}

/** The names that `Fn::Sub` makes, on AWS proper. */
function resolved(resource: unknown): string[] {
  return [resource].flat().map((one) => {
    const [text] = (one as { 'Fn::Sub': [string] })['Fn::Sub'];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholders
    return text.replace('${AWS::Partition}', 'aws').replace('${Bucket}', 'lakelet');
  });
}

/** Keys that may do what the role may. */
async function keysOf(role: string): Promise<Record<string, string>> {
  const { AWS_ENDPOINT_URL_S3 = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = minio?.settings ?? {};
  const sts = new STSClient({
    endpoint: AWS_ENDPOINT_URL_S3,
    region: 'us-east-1',
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: `arn:minio:iam::lakelet:${role}`, RoleSessionName: role, Policy: s3Policy(role) }),
  );
  sts.destroy();
  return {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? '',
    AWS_SESSION_TOKEN: Credentials?.SessionToken ?? '',
  };
}

/** Calls a function of the package in a process of its own, with the keys of a role. */
async function invoke(name: string, role: string, event: object): Promise<unknown> {
  const file = pathToFileURL(join(folder, 'task', 'functions', `${name}.js`)).href;
  const program = `import(${JSON.stringify(file)})
    .then(({ handler }) => handler(${JSON.stringify(event)}))
    .then((answer) => console.log(JSON.stringify(answer)))`;
  const { stdout } = await run(process.execPath, ['--eval', program], {
    cwd: existsSync('/proc') ? '/proc' : '/',
    env: {
      PATH: process.env.PATH,
      TMPDIR: tmpdir(),
      LAKE_URI: 's3://lakelet/lake',
      LOG_LEVEL: 'silent',
      AWS_LAMBDA_FUNCTION_NAME: `lakelet-prod-${name}`,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: minio?.settings.AWS_ENDPOINT_URL_S3,
      ...(await keysOf(role)),
    },
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

const event = { runId: 'restricted', rows: 800, trees: 5 };

describe("the functions' roles", () => {
  it('let each step do its work, on a server that holds them to it', async () => {
    for (const [step, role] of [
      ['bronze', 'BronzeRole'],
      ['silver', 'SilverRole'],
      ['gold', 'GoldRole'],
    ] as const) {
      expect(await invoke(step, role, event)).toEqual(expect.objectContaining({ runId: 'restricted', step }));
    }
    const record = {
      age: 41,
      income: 52_000,
      education: 'Master',
      product_category: 'Books',
      quarter: 2,
      month: 5,
      day_of_week: 6,
      hour: 15,
      is_weekend: true,
    };
    const predicted = { model: { version: '1' }, predictions: [{ predicted: expect.any(Number) }] };
    expect(await invoke('predict', 'PredictRole', { record })).toMatchObject(predicted);
    const failure = { runId: 'failed', step: 'gold', error: 'Lakelet.STEP_FAILED', cause: '{}' };
    expect(await invoke('record-failure', 'RecordFailureRole', failure)).toEqual(expect.anything());
  });

  it('let the HTTP API read all tables', async () => {
    const request = {
      version: '2.0',
      rawPath: '/tables',
      rawQueryString: '',
      headers: {},
      requestContext: { http: { method: 'GET', path: '/tables' } },
      isBase64Encoded: false,
    };
    const answer = (await invoke('api', 'ApiRole', request)) as { statusCode: number; body: string };
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('purchases_quarantine');
  });

  it('let no step do the work of another', async () => {
    const next = { ...event, runId: 'denied' };
    await expect(invoke('silver', 'BronzeRole', next)).rejects.toThrow(/denied/i);
    await expect(invoke('bronze', 'SilverRole', next)).rejects.toThrow(/denied/i);
    await expect(invoke('gold', 'RecordFailureRole', next)).rejects.toThrow(/denied/i);
    await expect(invoke('gold', 'PredictRole', next)).rejects.toThrow(/denied/i);
  });
});
