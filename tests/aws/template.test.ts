import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonVenv } from '../../localstack/python.ts';
import { ACCEPTED, type Accepted } from './accepted.ts';
import { Packaged, type Resource, type Template } from './packaged.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

let prod: Packaged;
let local: Packaged;
let python: string;

beforeAll(async () => {
  python = await pythonVenv({
    folder: join(root, '.emulators', 'policy'),
    requirements: join(root, 'tests', 'aws', 'requirements.txt'),
    what: 'cfn-lint and Checkov',
    python: { from: [3, 11] },
  });
  prod = new Packaged();
  expect((await prod.package('--stage', 'prod')).code).toBe(0);
  local = new Packaged();
  expect((await local.package('--stage', 'local')).code).toBe(0);
}, 600_000);

afterAll(() => {
  prod?.remove();
  local?.remove();
});

interface Finding {
  readonly check: string;
  readonly resource: string;
  readonly message: string;
}

async function lint(file: string): Promise<Finding[]> {
  const found = await output('cfn-lint', ['--format', 'json', file]);
  return JSON.parse(found).map(
    (one: { Rule: { Id: string }; Message: string; Location: { Path: (string | number)[] } }) => ({
      check: one.Rule.Id,
      resource: String(one.Location.Path[1]),
      message: one.Message,
    }),
  );
}

async function checkov(file: string): Promise<Finding[]> {
  const options = ['--framework', 'cloudformation', '--skip-download', '--quiet', '--compact', '--output', 'json'];
  const { results } = JSON.parse(await output('checkov', ['--file', file, ...options]));
  return results.failed_checks.map((one: { check_id: string; resource: string; check_name: string }) => ({
    check: one.check_id,
    resource: one.resource.split('.').at(-1),
    message: one.check_name,
  }));
}

/** What a tool prints; both end with an error code where they find something. */
async function output(tool: string, args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: local.checkout.folder, LOG_LEVEL: 'ERROR' };
  const options = { env, timeout: 120_000, maxBuffer: 1 << 26 };
  try {
    return (await run(join(python, '..', tool), args, options)).stdout;
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stdout;
  }
}

function accepts({ check, resources }: Accepted, finding: Finding): boolean {
  return check === finding.check && resources.test(finding.resource);
}

function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** What every policy of every role allows, with the role's or policy's name. */
function allowed(template: Template): (Statement & { readonly where: string })[] {
  const inline = ofType(template, 'AWS::IAM::Role').flatMap(([where, { Properties }]) =>
    Properties.Policies.map(({ PolicyDocument }: { PolicyDocument: object }) => ({ where, PolicyDocument })),
  );
  const attached = ofType(template, 'AWS::IAM::Policy').map(([where, { Properties }]) => ({ where, ...Properties }));
  return [...inline, ...attached].flatMap(({ where, PolicyDocument }) =>
    PolicyDocument.Statement.map((statement: Statement) => ({ where, ...statement })),
  );
}

describe('the templates', () => {
  it.each(['prod', 'local'])(
    'of stage %s has no finding of cfn-lint or Checkov that is not accepted',
    async (stage) => {
      const { templateFile } = stage === 'prod' ? prod : local;
      const findings = [...(await lint(templateFile)), ...(await checkov(templateFile))];
      expect(findings.filter((finding) => !ACCEPTED.some((one) => accepts(one, finding)))).toEqual([]);
      if (stage !== 'prod') return;
      const unused = ACCEPTED.filter((one) => !findings.some((finding) => accepts(one, finding)));
      expect(unused).toEqual([]);
    },
  );

  it('allow everything on everything nowhere, and all resources only to what knows no others', () => {
    for (const template of [prod.template, local.template]) {
      const statements = allowed(template);
      expect(statements.length).toBeGreaterThan(10);
      for (const { where, Action, Resource } of statements) {
        const actions = [Action].flat();
        expect({ where, wild: actions.filter((action) => action.includes('*')) }).toEqual({ where, wild: [] });
        if (JSON.stringify(Resource) !== '"*"') continue;
        expect({ where, other: actions.filter((action) => !/^(xray|logs):/.test(action)) }).toEqual({
          where,
          other: [],
        });
      }
    }
  });

  it('give each function a role, a log group with an end, a time limit, memory and a temporary disk', () => {
    const functions = ofType(prod.template, 'AWS::Lambda::Function');
    const roles = functions.map(([, { Properties }]) => JSON.stringify(Properties.Role));
    expect(new Set(roles).size).toBe(functions.length);
    for (const [, { Properties }] of functions) {
      expect(Properties.Timeout).toBeLessThanOrEqual(900);
      expect(Properties.MemorySize).toBeGreaterThanOrEqual(1024);
      expect(Properties.Environment.Variables.LAKE_URI).toBeDefined();
      // Lambda refuses these names.
      expect(Object.keys(Properties.Environment.Variables).filter((name) => /^AWS_/.test(name))).toEqual([]);
    }
    for (const [, { Properties }] of ofType(prod.template, 'AWS::Logs::LogGroup')) {
      expect(Properties.RetentionInDays).toBe(30);
    }
  });

  it('keep the bucket, encrypted, closed to the public, and only where none is given', () => {
    const { LakeBucket, LakeBucketPolicy } = prod.template.Resources;
    expect(LakeBucket).toMatchObject({ Condition: 'MakesBucket', DeletionPolicy: 'Retain' });
    expect(LakeBucket?.Properties.BucketEncryption).toBeDefined();
    expect(Object.values(LakeBucket?.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    expect(JSON.stringify(LakeBucketPolicy?.Properties)).toContain('aws:SecureTransport');
    expect(ofType(local.template, 'AWS::S3::Bucket')).toEqual([]);
  });

  it('have a schedule that is off unless it is asked for, and that says where lost starts go', () => {
    const { Schedule } = prod.template.Resources;
    expect(Schedule?.Properties.State).toEqual({ 'Fn::If': ['IsScheduled', 'ENABLED', 'DISABLED'] });
    expect(Schedule?.Properties.Target.DeadLetterConfig.Arn).toEqual({ 'Fn::GetAtt': ['DeadLetters', 'Arn'] });
  });

  it('have the very state machine that every runner executes', () => {
    for (const [template, name] of [
      [prod.template, 'lakelet-prod'],
      [local.template, 'lakelet-local'],
    ] as const) {
      const { StateMachineName, DefinitionString, DefinitionSubstitutions } =
        template.Resources.StateMachine?.Properties ?? {};
      expect(StateMachineName).toBe(name);
      const placeholders = [...DefinitionString.matchAll(/\$\{(\w+)\}/g)].map(([, placeholder]) => placeholder);
      expect(Object.keys(DefinitionSubstitutions).sort()).toEqual([...new Set(placeholders)].sort());
      expect(JSON.parse(DefinitionString).StartAt).toBeDefined();
    }
  });

  it('make no HTTP API on LocalStack, and one that IAM guards on AWS', () => {
    expect(Object.values(local.template.Resources).filter(({ Type }) => Type.includes('ApiGateway'))).toEqual([]);
    const routes = ofType(prod.template, 'AWS::ApiGatewayV2::Route');
    expect(routes.length).toBeGreaterThan(0);
    for (const [, { Properties }] of routes) expect(Properties.AuthorizationType).toBe('AWS_IAM');
  });
});
