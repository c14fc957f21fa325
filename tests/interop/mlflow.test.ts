import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import {
  type EvaluateModel,
  fetchModel,
  interpreterOf,
  keepRecord,
  logTraining,
  pushRecords,
  type RunningServer,
  startMlflowServer,
  type TrainingRecord,
} from '../../lib/mlflow/index.ts';
import { openStore } from '../../lib/storage/index.ts';
import { championScore } from '../lib/mlflow/training-example.ts';
import { startAuthProxy } from './mlflow/auth-proxy.ts';

const run = promisify(execFile);
const here = join(import.meta.dirname, 'mlflow');
const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect width="90" height="40" fill="teal"/></svg>';

let folder: string;
let server: RunningServer;
let onnx: Uint8Array;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-mlflow-'));
  await run(python, [join(here, 'small-model.py'), join(folder, 'small.onnx')]);
  onnx = await readFile(join(folder, 'small.onnx'));
  server = await startMlflowServer({ home: join(folder, 'home'), candidates: [python], port: 0 });
}, 180_000);

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

function training(runId: string, rmse: number, startedAt = Date.now()): TrainingRecord {
  return {
    runId,
    startedAt,
    endedAt: startedAt + 1000,
    params: { trees: 1, seed: 42 },
    metrics: { rmse, r2: 0.9, mae: 1.5 },
    dataset: {
      name: 'silver/purchases',
      uri: 'file:///lake/silver/purchases',
      version: 3,
      columns: [
        { name: 'age', type: 'integer', nullable: true },
        { name: 'amount', type: 'decimal(10,2)', nullable: true },
        { name: 'purchased_at', type: 'timestamp', nullable: false },
      ],
      profile: { num_rows: 10 },
    },
    model: {
      name: 'purchase-amount',
      onnx,
      features: [
        { name: 'age', kind: 'numeric' },
        { name: 'income', kind: 'numeric' },
        { name: 'category', kind: 'categorical', categories: ['books', 'it\'s "1"\u2028: é 🙂'] },
      ],
      inputExample: [
        [1, 0.25, 0],
        [1, Number.NaN, 1],
        [1, 0.75, 1],
      ],
      importances: [{ name: 'income', importance: 1 }],
    },
    heldOut: {
      id: 'rows-1',
      rows: 2,
      features: new Float32Array(6),
      target: new Float64Array(2),
      predicted: Float64Array.of(rmse, -rmse),
    },
    children: [{ name: 'baseline', params: { sample: 1000 }, metrics: { rmse: 9 } }],
    curves: [{ name: 'oob_rmse', values: [Number.NaN, 7, 6] }],
    artifacts: [
      { path: 'plots/importances.svg', body: new TextEncoder().encode(SVG) },
      { path: 'report.html', body: new TextEncoder().encode('<!doctype html><title>report</title><p>Report') },
    ],
  };
}

const evaluateChampion: EvaluateModel = async (_, heldOut) => championScore(4, heldOut);

function target(trackingUri: string, records = join(folder, 'records')) {
  return {
    trackingUri,
    experimentName: 'interop',
    records: openStore(records),
    evaluateChampion,
    attempts: 2,
  };
}

async function api(path: string, json?: unknown): Promise<Record<string, unknown>> {
  const init =
    json === undefined
      ? {}
      : { method: 'POST', body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${server.uri}/api/2.0/mlflow/${path}`, init);
  expect(response.status).toBe(200);
  const answer: unknown = await response.json();
  if (typeof answer !== 'object' || answer === null) throw new Error(`${path} answered no object`);
  return { ...answer };
}

describe('a real MLflow server', () => {
  it('gets a training whose champion Python loads and predicts with as expected', async () => {
    const logged = await logTraining(training('first', 5), target(server.uri));
    expect(logged).toMatchObject({ champion: true, modelVersion: '1', recorded: 'server' });
    const { stdout } = await run(python, [join(here, 'load-champion.py'), server.uri]);
    const told = JSON.parse(stdout);
    for (const form of ['float64', 'float32', 'reordered', 'records']) expect(told[form]).toEqual([12.25, 99.5, 12.25]);
    expect(told.example).toEqual([12.25, 12.25, 99.5]);
    expect(told.names).toEqual(['age', 'income', 'category']);
    expect(told.types).toEqual(['DataType.double', 'DataType.double', 'DataType.double']);
    expect(told.outputs).toEqual([{ type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: [-1, 1] } }]);
    expect(told.features).toEqual(training('first', 5).model.features);
    expect(told.source).toMatchObject({ path: 'file:///lake/silver/purchases', delta_table_version: 3 });
    expect(told.metrics).toEqual({ rmse: 5, r2: 0.9, mae: 1.5, oob_rmse: 6 });
  }, 90_000);

  it('shows the run, its dataset, its comparison and the alias over its own API', async () => {
    const logged = await logTraining(training('first', 5), target(server.uri));
    expect(logged.already).toBe(true);
    const found = await api('runs/search', { experiment_ids: [logged.experimentId] });
    expect(found).toMatchObject({
      runs: expect.arrayContaining([
        expect.objectContaining({
          info: expect.objectContaining({ run_id: logged.runId, status: 'FINISHED' }),
          inputs: {
            dataset_inputs: ['training', 'evaluation'].map((value) => ({
              tags: [{ key: 'mlflow.data.context', value }],
              dataset: expect.objectContaining({ name: 'silver/purchases', source_type: 'delta_table' }),
            })),
          },
        }),
        expect.objectContaining({
          data: expect.objectContaining({
            tags: expect.arrayContaining([{ key: 'mlflow.parentRunId', value: logged.runId }]),
          }),
        }),
      ]),
    });
    expect(found.runs).toHaveLength(2);
    expect(await api('registered-models/get?name=purchase-amount')).toMatchObject({
      registered_model: {
        aliases: [{ alias: 'champion', version: '1' }],
        description: expect.stringContaining('paired test'),
      },
    });
    expect(await api(`metrics/get-history?run_id=${logged.runId}&metric_key=oob_rmse`)).toMatchObject({
      metrics: [7, 6].map((value, at) => expect.objectContaining({ value, step: at + 2 })),
    });
    expect(await api(`artifacts/list?run_id=${logged.runId}`)).toMatchObject({
      files: [{ path: 'feature_importances.json' }, { path: 'plots', is_dir: true }, { path: 'report.html' }],
    });
  });

  it('moves the alias to what beats the champion alone, and hands the champion out', async () => {
    expect(await logTraining(training('worse', 4.5), target(server.uri))).toMatchObject({
      champion: false,
      modelVersion: '2',
    });
    expect(await logTraining(training('better', 3.5), target(server.uri))).toMatchObject({
      champion: true,
      modelVersion: '3',
    });
    const champion = await fetchModel({ trackingUri: server.uri }, 'purchase-amount', 'champion');
    expect(champion?.version).toBe('3');
    expect((await fetchModel({ trackingUri: server.uri }, 'purchase-amount', 'challenger'))?.version).toBe('1');
    expect(Buffer.from(champion?.onnx ?? []).equals(onnx)).toBe(true);
    for (const [name, version] of [
      ['no-such-model', 'champion'],
      ['purchase-amount', '999'],
      ['purchase-amount', '99999999999999999999'],
      ['..', '1'],
    ] as const) {
      expect(await fetchModel({ trackingUri: server.uri }, name, version)).toBeUndefined();
    }
  });

  it('gets, once each, what was kept while it was away', async () => {
    const records = join(folder, 'kept');
    const nobody = `http://127.0.0.1:${await closedPort()}`;
    for (const id of ['kept-1', 'kept-2']) {
      const away = target(nobody, records);
      await expect(logTraining(training(id, 3.9), away)).rejects.toMatchObject({ code: 'MLFLOW_UNREACHABLE' });
    }
    const options = { trackingUri: server.uri, evaluateChampion };
    expect((await pushRecords(openStore(records), options)).pushed.map(({ champion }) => champion)).toEqual([
      true,
      true,
    ]);
    expect(await pushRecords(openStore(records), options)).toEqual({ pushed: [], already: 2, failed: [] });
  }, 60_000);
});

describe('a real MLflow server that asks who calls', () => {
  it.each([
    [
      'a name and a password',
      `Basic ${Buffer.from('ada:sécret').toString('base64')}`,
      { username: 'ada', password: 'sécret' },
    ],
    ['a token', 'Bearer tok', { token: 'tok' }],
  ])(
    'takes a training, and hands the champion out, for %s alone',
    async (_, authorization, login) => {
      const proxy = await startAuthProxy(server.uri, authorization);
      try {
        const to = target(proxy.uri);
        const id = Object.keys(login).join('-');
        await expect(logTraining(training(id, 5), to)).rejects.toMatchObject({ code: 'MLFLOW_REFUSED' });
        expect(await logTraining(training(id, 5), { ...to, ...login })).toMatchObject({
          recorded: 'server',
          already: false,
        });
        const champion = await fetchModel({ trackingUri: proxy.uri, ...login }, 'purchase-amount', 'champion');
        expect(Buffer.from(champion?.onnx ?? []).equals(onnx)).toBe(true);
      } finally {
        await proxy.stop();
      }
    },
    60_000,
  );
});

describe('serveMlflow', () => {
  it('takes another port where the one asked for is taken, brings records in, and leaves no process behind on Ctrl-C', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;
    const records = join(folder, 'served');
    await keepRecord(openStore(records), { experimentName: 'interop', training: training('served', 5) });
    const child = spawn(
      process.execPath,
      [join(here, 'serve.ts'), join(folder, 'home2'), records, python, String(taken)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_OPTIONS: '' },
      },
    );
    try {
      const lines = linesOf(child);
      const at = await lines('MLflow is at ');
      const uri = at.slice('MLflow is at '.length);
      expect(uri).toMatch(/^http:\/\/localhost:\d+$/);
      expect(uri).not.toContain(String(taken));
      await lines('1 trainings brought in');
      await lines('Ctrl-C');
      expect(await (await fetch(`${uri}/health`)).text()).toBe('OK');
      child.kill('SIGINT');
      await lines('ended');
      await expect(fetch(`${uri}/health`)).rejects.toThrow();
    } finally {
      child.kill('SIGKILL');
      blocker.close();
    }
  }, 120_000);
});

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  await new Promise<void>((resolve) => listener.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Waits for the next line that begins so; a test that waits in vain runs out of its time. */
function linesOf(child: ChildProcess): (start: string) => Promise<string> {
  if (child.stdout === null) throw new Error('the child has no output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (start) => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the child ended before it said ${start}`);
      if (value.startsWith(start)) return value;
    }
  };
}
