import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { type S3Proxy, startProxy } from '../fault/s3-proxy.ts';
import { BUCKET, environment, type S3Server, START_TIMEOUT, startS3 } from './s3-servers.ts';

const LAKELET = join(import.meta.dirname, '..', '..', 'bin', 'lakelet.ts');
const TIMEOUT = 120_000;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a process with these settings and no others for AWS; undefined unsets one. */
function lakelet(args: readonly string[], settings: Readonly<Record<string, string | undefined>>): Promise<Outcome> {
  const given = Object.entries({ ...settings, LOG_LEVEL: 'silent', NODE_OPTIONS: '' });
  const env = environment(
    Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  );
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [LAKELET, ...args], { env, timeout: TIMEOUT }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
    child.stdin?.end();
  });
}

async function checksOf(uri: string, settings: Readonly<Record<string, string | undefined>>) {
  const { code, out } = await lakelet(['doctor', '--lake', uri, '--format', 'json'], settings);
  const { ok, checks }: { ok: boolean; checks: { name: string; status: string; detail: string; advice?: string }[] } =
    JSON.parse(out);
  return { code, ok, check: (name: string) => checks.find((each) => each.name === name) };
}

describe('S3 by the settings of the AWS SDK', () => {
  let minio: S3Server;
  let endpoint: string;
  beforeAll(async () => {
    minio = await startS3('MinIO');
    endpoint = minio.settings.AWS_ENDPOINT_URL_S3 ?? '';
  }, START_TIMEOUT);
  afterAll(() => minio?.stop());

  it.each<[string, () => Record<string, string | undefined>]>([
    ['as they are given', () => ({})],
    ['with an empty variable for the endpoint of S3', () => ({ AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: '' })],
    ['with an empty variable for the endpoint of all services', () => ({ AWS_ENDPOINT_URL: '' })],
    [
      'at a host name, which no bucket is a part of',
      () => ({ AWS_ENDPOINT_URL_S3: endpoint.replace('127.0.0.1', 'localhost') }),
    ],
    ['without a region', () => ({ AWS_REGION: undefined })],
    ['with an empty region', () => ({ AWS_REGION: '' })],
  ])(
    'finds the bucket fit for a lake, %s',
    async (_, other) => {
      const { code, ok, check } = await checksOf(`s3://${BUCKET}/some lake`, { ...minio.settings, ...other() });
      expect({ code, ok }).toEqual({ code: 0, ok: true });
      for (const name of ['lake', 'put-if-absent', 'listing', 'deleting']) expect(check(name)?.status).toBe('ok');
      expect(check('lake')?.detail).toMatch(/^s3:\/\/lakelet\/some lake at http:\/\/.* ms a write, .* ms a read\)$/);
      const { client, sdk } = minio.connection;
      expect((await client.send(new sdk.ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'some lake' }))).KeyCount).toBe(
        0,
      );
    },
    TIMEOUT,
  );

  it.each<[string, string, Record<string, string | undefined>, RegExp]>([
    [
      'a wrong secret',
      'lakelet',
      { AWS_SECRET_ACCESS_KEY: 'wrong' },
      /^error ACCESS_DENIED: .*correct AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'an unknown access key',
      'lakelet',
      { AWS_ACCESS_KEY_ID: 'nobody' },
      /^error ACCESS_DENIED: .*correct AWS_ACCESS_KEY_ID/,
    ],
    ['a wrong session token', 'lakelet', { AWS_SESSION_TOKEN: 'x' }, /^error ACCESS_DENIED: .*AWS_SESSION_TOKEN/],
    [
      'no credentials',
      'lakelet',
      { AWS_ACCESS_KEY_ID: undefined, HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true' },
      /^error ACCESS_DENIED: .*no AWS credentials.*set AWS_ACCESS_KEY_ID/,
    ],
    [
      'a missing bucket',
      'missing-bucket',
      {},
      /^error BUCKET_NOT_FOUND: There is no bucket missing-bucket at http:\/\/127.*s3 mb s3:\/\/missing-bucket/,
    ],
    [
      'a name that is no bucket',
      'no_Bucket..at-all',
      {},
      /^error (STORE_FAILED|BUCKET_NOT_FOUND): .*no_Bucket\.\.at-all/,
    ],
    [
      'a port where nothing listens',
      'lakelet',
      { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
      /^error STORE_UNREACHABLE: .*no answer from http:\/\/127\.0\.0\.1:1 .*ECONNREFUSED.*AWS_ENDPOINT_URL_S3/,
    ],
    [
      'a host that is none',
      'lakelet',
      { AWS_ENDPOINT_URL_S3: 'http://nowhere.invalid:9000' },
      /^error STORE_UNREACHABLE: .*nowhere\.invalid.*AWS_ENDPOINT_URL_S3/,
    ],
    [
      'an endpoint that is no URL',
      'lakelet',
      { AWS_ENDPOINT_URL_S3: 'minio' },
      /^error STORE_UNREACHABLE: .*minio is no URL.*AWS_ENDPOINT_URL_S3/,
    ],
  ])(
    'tells %s in one clear line, of reading, of writing and of a run',
    async (_, bucket, other, line) => {
      const settings = { ...minio.settings, ...other };
      const uri = `s3://${bucket}/table`;
      const outcomes = await Promise.all([
        lakelet(['table', 'show', uri], settings),
        lakelet(['table', 'create', uri, '--source', 'SELECT 1 AS x'], settings),
        lakelet(['query', 'FROM silver.purchases', '--lake', uri], settings),
        lakelet(['run', '--rows', '10', '--lake', uri], settings),
      ]);
      for (const { code, out, err } of outcomes) {
        // A run says its id first.
        const told = err.replace(/^run +\S+\n/, '');
        expect(told).toMatch(line);
        expect(told.trimEnd().split('\n')).toHaveLength(1);
        expect({ code, out }).toEqual({ code: 1, out: '' });
      }
    },
    TIMEOUT,
  );

  it(
    'finds the lake unfit where it cannot be reached',
    async () => {
      const { code, ok, check } = await checksOf('s3://missing-bucket/lake', minio.settings);
      expect({ code, ok }).toEqual({ code: 1, ok: false });
      expect(check('lake')).toMatchObject({ status: 'fail', detail: expect.stringContaining('missing-bucket') });
    },
    TIMEOUT,
  );
});

describe('lakelet doctor, of a server that is no safe place for a lake', () => {
  let localstack: S3Server;
  let proxy: S3Proxy;
  beforeAll(async () => {
    // It does not check signatures, so that the proxy may change requests.
    localstack = await startS3('LocalStack');
    proxy = await startProxy(localstack.settings.AWS_ENDPOINT_URL ?? '');
  }, START_TIMEOUT);
  afterAll(async () => {
    await proxy?.stop();
    await localstack?.stop();
  });

  const examine = () => checksOf(`s3://${BUCKET}/lake`, { ...localstack.settings, AWS_ENDPOINT_URL: proxy.url });

  it(
    'finds that conditional puts are ignored',
    async () => {
      proxy.decide = () => ({ without: ['if-none-match'] });
      const { code, ok, check } = await examine();
      expect({ code, ok }).toEqual({ code: 1, ok: false });
      expect(check('put-if-absent')).toMatchObject({
        status: 'fail',
        detail: expect.stringMatching(/ignores the condition.*two writers at once would lose data; choose/),
      });
      expect(check('listing')?.status).toBe('ok');
    },
    TIMEOUT,
  );

  it(
    'lets no table be made where conditional puts are ignored',
    async () => {
      proxy.decide = () => ({ without: ['if-none-match'] });
      const { code, err } = await lakelet(['table', 'create', `s3://${BUCKET}/unsafe`, '--source', 'SELECT 1 AS x'], {
        ...localstack.settings,
        AWS_ENDPOINT_URL: proxy.url,
      });
      expect(err).toMatch(
        /^error NOT_SUPPORTED: .*ignores the condition of conditional puts.*unsafe\/_delta_log\/0+\.json.*\n$/,
      );
      expect(code).toBe(1);
    },
    TIMEOUT,
  );

  it(
    'lets no run land where conditional puts are ignored',
    async () => {
      proxy.decide = () => ({ without: ['if-none-match'] });
      const { code, out, err } = await lakelet(['run', '--rows', '10', '--lake', `s3://${BUCKET}/unsafe run`], {
        ...localstack.settings,
        AWS_ENDPOINT_URL: proxy.url,
      });
      expect(err).toMatch(/^error NOT_SUPPORTED: .*ignores the condition of conditional puts.*\n$/m);
      expect({ code, out }).toEqual({ code: 1, out: '' });
    },
    TIMEOUT,
  );

  it(
    'finds that conditional puts are refused',
    async () => {
      proxy.decide = ({ headers }) =>
        headers['if-none-match'] === undefined ? 'pass' : { status: 501, code: 'NotImplemented' };
      const { code, check } = await examine();
      expect(code).toBe(1);
      expect(check('put-if-absent')).toMatchObject({
        status: 'fail',
        detail: expect.stringMatching(/does not support it \(501 NotImplemented/),
      });
    },
    TIMEOUT,
  );

  it(
    'finds that listings lag behind',
    async () => {
      proxy.decide = ({ url }) =>
        url.includes('list-type=2')
          ? { replace: '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>' }
          : 'pass';
      const { code, check } = await examine();
      expect(code).toBe(1);
      expect(check('listing')).toMatchObject({ status: 'fail', advice: expect.stringContaining('consistent') });
    },
    TIMEOUT,
  );

  it(
    'warns that nothing may be deleted, and works on',
    async () => {
      proxy.decide = ({ method }) => (method === 'DELETE' ? { status: 403, code: 'AccessDenied' } : 'pass');
      const { code, ok, check } = await examine();
      expect({ code, ok }).toEqual({ code: 0, ok: true });
      expect(check('deleting')).toMatchObject({ status: 'warn', detail: expect.stringContaining('s3:DeleteObject') });
    },
    TIMEOUT,
  );

  it(
    'says what is missing where nothing may be written',
    async () => {
      proxy.decide = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : 'pass');
      const { code, check } = await examine();
      expect(code).toBe(1);
      expect(check('lake')).toMatchObject({
        status: 'fail',
        detail: expect.stringMatching(/403 AccessDenied.*s3:PutObject/),
      });
    },
    TIMEOUT,
  );
});
