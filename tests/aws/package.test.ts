import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { startServerDouble } from '../lib/mlflow/server-double.ts';
import { linearModel, mlmodel } from '../lib/serving/onnx-graph.ts';
import { Packaged } from './packaged.ts';
import { type Entry, entriesOf, unpack } from './zip.ts';

const run = promisify(execFile);
const STEPS = ['bronze', 'silver', 'gold', 'record-failure', 'predict'];
const MB = 1024 * 1024;
/** What Amazon Linux 2023, on which Node runs in Lambda, has of them. */
const AMAZON_LINUX = { GLIBC: [2, 34], GLIBCXX: [3, 4, 29] };

let packaged: Packaged;
let entries: Entry[];
let folder: string;

beforeAll(async () => {
  packaged = new Packaged();
  const { code, err } = await packaged.package('--stage', 'prod');
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('packaged') });
  entries = entriesOf(packaged.zip);
  folder = mkdtempSync(join(tmpdir(), 'lakelet-unpacked-'));
  unpack(entries, join(folder, 'task'));
});

afterAll(() => {
  packaged?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function entry(name: string): Buffer {
  const found = entries.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${name} is not in the package`);
  return found.bytes;
}

/** The libraries with native code. */
function native(): Entry[] {
  return entries.filter(({ name }) => /[.](node|so)$/.test(name));
}

function newest(bytes: Buffer, library: string): number[] {
  const versions = [...bytes.toString('latin1').matchAll(new RegExp(`\\b${library}_(\\d+(?:[.]\\d+)+)`, 'g'))];
  const numbers = versions.map(([, version = '']) => version.split('.').map(Number));
  return numbers.sort(compare).at(-1) ?? [];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

describe('serverless package --stage prod', () => {
  it('makes a zip well below what Lambda takes', () => {
    expect(statSync(packaged.zip).size).toBeLessThan(60 * MB);
    const unzipped = entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(unzipped).toBeLessThan(250 * MB);
  });

  it('holds the functions, the SQL, the definition and DuckDB, and nothing of the project beside', () => {
    const names = entries.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        ...STEPS.map((step) => `functions/${step}.js`),
        'functions/api.js',
        'functions/package.json',
        'statemachine/lakehouse.asl.json',
        'datasets/purchases/silver.sql',
        'node_modules/@duckdb/node-api/package.json',
      ]),
    );
    const others = names.filter((name) => !/^(functions|statemachine|datasets|node_modules)\//.test(name));
    expect(others).toEqual([]);
    const packages = names.filter((name) => name.startsWith('node_modules/') && !/^node_modules\/@duckdb\//.test(name));
    expect(packages.filter((name) => !name.startsWith('node_modules/detect-libc/')).sort()).toEqual([
      'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs',
      'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
      'node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
      'node_modules/onnxruntime-web/package.json',
    ]);
  });

  it('has handlers under the names that the template gives', () => {
    const functions = Object.values(packaged.template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions).toHaveLength(STEPS.length + 1);
    for (const { Properties } of functions) {
      expect(entry(Properties.Handler.replace(/[.]handler$/, '.js')).toString('utf8')).toMatch(/\bhandler\b/);
    }
  });

  it('has native code for the architecture of the functions', () => {
    const machines = { x86_64: 0x3e, arm64: 0xb7 };
    const { Architectures } = packaged.template.Resources.BronzeLambdaFunction?.Properties ?? {};
    expect(native().map(({ name }) => name.split('/').at(-1))).toEqual(
      expect.arrayContaining(['duckdb.node', 'libduckdb.so']),
    );
    for (const { bytes } of native()) {
      expect(bytes.toString('latin1', 0, 4)).toBe('\x7fELF');
      expect(bytes.readUInt16LE(18)).toBe(machines[Architectures[0] as keyof typeof machines]);
    }
  });

  it('has native code that runs with the C libraries of Lambda', () => {
    for (const { bytes } of native()) {
      for (const [library, version] of Object.entries(AMAZON_LINUX)) {
        const needed = newest(bytes, library);
        expect(needed.length).toBeGreaterThan(0);
        expect(compare(needed, version)).toBeLessThanOrEqual(0);
      }
    }
  });

  it('runs where only the temporary folder can be written, without a home', async () => {
    const before = readdirSync(folder, { recursive: true }).sort();
    const lake = mkdtempSync(join(tmpdir(), 'lakelet-lake-'));
    const temporary = mkdtempSync(join(tmpdir(), 'lakelet-tmp-'));
    const environment = {
      PATH: process.env.PATH,
      TMPDIR: temporary,
      LAKE_URI: lake,
      LOG_LEVEL: 'silent',
      AWS_LAMBDA_FUNCTION_NAME: 'lakelet-prod-step',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
      LAMBDA_TASK_ROOT: join(folder, 'task'),
    };
    try {
      for (const step of ['bronze', 'silver']) {
        const file = pathToFileURL(join(folder, 'task', 'functions', `${step}.js`)).href;
        const event = JSON.stringify({ runId: 'packaged', rows: 800 });
        const program = `import(${JSON.stringify(file)})
          .then(({ handler }) => handler(${event}))
          .then((answer) => console.log(JSON.stringify(answer)))`;
        const { stdout } = await run(process.execPath, ['--eval', program], {
          // A folder that nobody can write to, root included.
          cwd: existsSync('/proc') ? '/proc' : '/',
          env: environment,
          timeout: 60_000,
        });
        expect(JSON.parse(stdout)).toEqual(expect.objectContaining({ runId: 'packaged', step }));
      }
      expect(readdirSync(lake).sort()).toEqual(['bronze', 'ops', 'silver']);
      expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
    } finally {
      for (const made of [lake, temporary]) rmSync(made, { recursive: true, force: true });
    }
  });

  it('serves a model of another maker', async () => {
    const server = await startServerDouble();
    try {
      server.versions.push({ version: '1', runId: '', modelId: 'm', tags: new Map(), description: '' });
      server.aliases.set('champion', '1');
      const onnx = linearModel([{ name: 'x', type: 'float', width: 1 }], [3]);
      server.files.set('1/models/m/artifacts/model.onnx', Buffer.from(onnx));
      server.files.set('1/models/m/artifacts/MLmodel', Buffer.from(mlmodel([{ name: 'age', type: 'double' }])));
      const file = pathToFileURL(join(folder, 'task', 'functions', 'predict.js')).href;
      const program = `import(${JSON.stringify(file)})
        .then(({ handler }) => handler({ model: 'theirs@champion', record: { age: 14 } }))
        .then((answer) => console.log(JSON.stringify(answer)))`;
      const { stdout } = await run(process.execPath, ['--eval', program], {
        cwd: existsSync('/proc') ? '/proc' : '/',
        env: {
          PATH: process.env.PATH,
          LAKE_URI: 's3://nowhere/lake',
          MLFLOW_TRACKING_URI: server.uri,
          LOG_LEVEL: 'silent',
          AWS_LAMBDA_FUNCTION_NAME: 'lakelet-prod-predict',
        },
        timeout: 60_000,
      });
      expect(JSON.parse(stdout)).toMatchObject({ predictions: [{ predicted: 42 }] });
    } finally {
      await server.close();
    }
  });

  it('refuses an architecture whose DuckDB is not there, and says how to get it', async () => {
    const other = process.arch === 'x64' ? 'arm64' : 'x86_64';
    const { code, out, err } = await packaged.package('--stage', 'prod', '--param', `architecture=${other}`);
    expect(code).not.toBe(0);
    expect(`${out}${err}`).toContain(`DuckDB for Linux on ${other} is not in node_modules`);
    expect(`${out}${err}`).toContain('npm install');
    expect(`${out}${err}`).not.toContain('    at ');
  });
});
