import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MLFLOW_VERSION } from '../../lib/mlflow/index.ts';
import { type ComposeProject, composeConfig } from '../../localstack/compose/config.ts';
import { LOCALSTACK_VERSION } from '../../localstack/localstack.ts';
import { pythonVenv } from '../../localstack/python.ts';
import { parseService } from '../../localstack/settings.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const FILE = join(root, 'docker-compose.yml');
const text = readFileSync(FILE, 'utf8');
const SERVERS = ['localstack', 'minio', 'mlflow'];

let folder: string;
let project: ComposeProject;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-compose-'));
  project = await composeConfig(FILE);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function serviceOf(name: string, of: ComposeProject = project) {
  const service = of.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** What Compose says of the file with a text of it replaced. */
function withEdit(from: string | RegExp, to: string): Promise<ComposeProject> {
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, edited);
  return composeConfig(file);
}

describe('docker-compose.yml', () => {
  it('is taken by the loader of Compose, with the servers and the service that does the job', () => {
    expect(Object.keys(project.services).sort()).toEqual(['lakelet', ...SERVERS].sort());
  });

  it.each([
    ['a condition that there is not', /service_healthy/, 'service_well', /condition/],
    ['a service that there is not', /^ {2}minio:$/m, '  minion:', /undefined service "minio"/],
    ['a volume that there is not', '- mlflow:/mlflow', '- elsewhere:/mlflow', /undefined volume elsewhere/],
    ['a field that there is not', 'healthcheck:', 'healthchecks:', /healthchecks/],
    ['a duration that is none', 'interval: 2s', 'interval: soon', /invalid duration/],
    ['a variable that does not end', /(ROWS:-\d+)\}/, '$1', /interpolation/],
    ['an anchor that there is not', '*s3', '*s4', /unknown anchor/],
    ['a service without an image', '    image: localstack/localstack:4.7.0\n', '', /neither an image nor a build/],
  ])('is refused with %s', async (_, from, to, reason) => {
    await expect(withEdit(from, to)).rejects.toMatchObject({
      code: 'COMPOSE_INVALID',
      message: expect.stringMatching(reason),
    });
  });

  it('names each image with its version, of what the tests run without Docker', () => {
    expect(serviceOf('localstack').image).toBe(`localstack/localstack:${LOCALSTACK_VERSION}`);
    expect(serviceOf('minio').image).toMatch(/^quay\.io\/minio\/minio:RELEASE\.[\w.-]+$/);
    for (const dockerfile of ['Dockerfile', 'Dockerfile.mlflow']) {
      const [, base] = /^FROM (\S+)$/m.exec(readFileSync(join(root, dockerfile), 'utf8')) ?? [];
      expect(base).toMatch(/^\w+:\d+\.\d+\.\d+-/);
    }
    const requirements = readFileSync(join(root, 'localstack', 'requirements.txt'), 'utf8');
    expect(requirements).toContain(`localstack-core==${LOCALSTACK_VERSION}`);
    const packages = readFileSync(join(root, 'localstack', 'mlflow-requirements.txt'), 'utf8').split('\n');
    expect(packages).toContain(`mlflow==${MLFLOW_VERSION}`);
    expect(packages.some((line) => /^boto3==[\d.]+$/.test(line))).toBe(true);
  });

  it('asks each server for its health, and each one that needs it waits', () => {
    for (const name of SERVERS) expect(serviceOf(name).healthcheck?.test[0]).toBe('CMD');
    const healthy = { condition: 'service_healthy' };
    expect(serviceOf('mlflow').depends_on).toMatchObject({ minio: healthy, localstack: healthy });
    expect(serviceOf('lakelet').depends_on).toMatchObject({ minio: healthy, localstack: healthy, mlflow: healthy });
  });

  it('offers its ports on loopback alone, and moves those that are taken', async () => {
    const ports = (of: ComposeProject) =>
      Object.values(of.services).flatMap(({ ports = [] }) => ports.map((port) => `${port.host_ip}:${port.published}`));
    expect(ports(project).sort()).toEqual(['127.0.0.1:4566', '127.0.0.1:5000', '127.0.0.1:9000']);
    const moved = await composeConfig(FILE, { GATEWAY_PORT: '4567', MLFLOW_PORT: '5001', MINIO_PORT: '9001' });
    expect(ports(moved).sort()).toEqual(['127.0.0.1:4567', '127.0.0.1:5001', '127.0.0.1:9001']);
    const allowed = serviceOf('mlflow', moved).command?.find((word) => word.startsWith('--allowed-hosts='));
    expect(allowed?.split('=')[1]?.split(',')).toEqual(expect.arrayContaining(['mlflow:5000', 'localhost:5001']));
    expect(serviceOf('lakelet', moved).environment?.MLFLOW_PAGE).toBe('http://localhost:5001');
  });

  it('keeps the data of MinIO and MLflow in volumes', () => {
    expect(serviceOf('minio').volumes).toMatchObject([{ type: 'volume', source: 'minio', target: '/data' }]);
    expect(serviceOf('mlflow').volumes).toMatchObject([{ type: 'volume', source: 'mlflow', target: '/mlflow' }]);
    expect(serviceOf('minio').command).toContain('/data');
    expect(serviceOf('mlflow').command).toContain('--backend-store-uri=sqlite:////mlflow/mlflow.db');
  });

  it('gives LocalStack what its Lambdas need: the Docker socket, the network of the services, and their names', () => {
    const { environment, volumes } = serviceOf('localstack');
    expect(volumes?.map(({ source }) => source)).toContain('/var/run/docker.sock');
    expect(environment?.LAMBDA_DOCKER_NETWORK).toBe(project.networks.default?.name);
    expect(serviceOf('lakelet').environment).toMatchObject({
      AWS_ENDPOINT_URL: 'http://localstack:4566',
      AWS_ENDPOINT_URL_S3: 'http://minio:9000',
      MLFLOW_TRACKING_URI: 'http://mlflow:5000',
      LAKE_URI: 's3://lakelet/lake',
    });
  });

  it('uses the keys that MinIO knows, and one bucket for lake and models', () => {
    const { MINIO_ROOT_USER, MINIO_ROOT_PASSWORD } = serviceOf('minio').environment ?? {};
    for (const name of ['mlflow', 'lakelet']) {
      expect(serviceOf(name).environment).toMatchObject({
        AWS_ACCESS_KEY_ID: MINIO_ROOT_USER,
        AWS_SECRET_ACCESS_KEY: MINIO_ROOT_PASSWORD,
      });
    }
    expect(serviceOf('mlflow').command).toContain('--artifacts-destination=s3://lakelet/mlflow');
  });

  it('can keep the lake in the S3 of LocalStack instead', async () => {
    const other = await composeConfig(FILE, { LAKE_S3: 'http://localstack:4566' });
    for (const name of ['mlflow', 'lakelet']) {
      expect(serviceOf(name, other).environment?.AWS_ENDPOINT_URL_S3).toBe('http://localstack:4566');
    }
  });

  it('is read by the starters without Docker as Compose reads it', async () => {
    const variables = {
      LOCALSTACK_LISTEN: '127.0.0.1:14566',
      LAKE_S3: 'http://127.0.0.1:19000',
      MINIO_LISTEN: '127.0.0.1:19000',
      MINIO_DATA: '/a folder/data',
      MLFLOW_LISTEN_HOST: '127.0.0.1',
      MLFLOW_LISTEN_PORT: '15000',
      MLFLOW_PORT: '15000',
      MLFLOW_DATA: '/a folder/mlflow',
      MLFLOW_ARTIFACTS: 's3://other/models',
    };
    for (const given of [variables, {}]) {
      const compose = await composeConfig(FILE, given);
      for (const name of SERVERS) {
        const { command, environment } = serviceOf(name, compose);
        expect(parseService(text, name, given)).toEqual({ command: command ?? [], environment });
      }
    }
  });
});

describe('the Dockerfiles', () => {
  let hadolint: string;
  beforeAll(async () => {
    const python = await pythonVenv({
      folder: join(root, '.emulators', 'hadolint'),
      requirements: join(import.meta.dirname, 'hadolint-requirements.txt'),
      what: 'hadolint',
      python: { from: [3, 9] },
    });
    hadolint = join(python, '..', 'hadolint');
  }, 120_000);

  function lint(...files: string[]): Promise<{ stdout: string }> {
    return run(hadolint, ['--failure-threshold', 'warning', ...files]);
  }

  it('have nothing that their linter warns of', async () => {
    await expect(lint(join(root, 'Dockerfile'), join(root, 'Dockerfile.mlflow'))).resolves.toBeDefined();
  });

  it('would be warned of without a version', async () => {
    const file = join(folder, 'Dockerfile');
    writeFileSync(file, 'FROM node\nRUN npm ci\n');
    await expect(lint(file)).rejects.toMatchObject({ stdout: expect.stringContaining('DL3006') });
  });

  it('copy nothing that .dockerignore leaves out', () => {
    const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    for (const name of ['Dockerfile', 'Dockerfile.mlflow']) {
      const copies = [...readFileSync(join(root, name), 'utf8').matchAll(/^COPY (?:--\S+ )*(.+) \S+$/gm)];
      const sources = copies.flatMap(([, words = '']) => words.split(' ')).filter((source) => source !== '.');
      expect(sources.length).toBeGreaterThan(0);
      for (const source of sources) {
        expect(ignore).toContain(`!${source.split('/')[0]}`);
        expect(existsSync(join(root, source))).toBe(true);
      }
    }
  });

  it('run as a user without privileges', () => {
    for (const [name, user] of [
      ['Dockerfile', 'node'],
      ['Dockerfile.mlflow', 'mlflow'],
    ] as const) {
      const users = [...readFileSync(join(root, name), 'utf8').matchAll(/^USER (\S+)$/gm)].map(([, who]) => who);
      expect(users.at(-1)).toBe(user);
    }
  });
});
