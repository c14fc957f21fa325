import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeColumns, type FeatureColumn, toOnnx, trainBoosting, trainForest } from '../../lib/forest/index.ts';
import { interpreterOf, logTraining, type RunningServer, startMlflowServer } from '../../lib/mlflow/index.ts';
import { portToUse } from '../../lib/process/port.ts';
import { startServer } from '../../lib/process/server.ts';
import { MemoryStore } from '../../lib/storage/index.ts';
import { championScore, trainingExample } from '../lib/mlflow/training-example.ts';

const run = promisify(execFile);
const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));
const ROWS = 2000;

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-mlflow-model-'));
  server = await startMlflowServer({ home: join(folder, 'home'), candidates: [python], port: 0 });
}, 180_000);

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

/** Every eleventh number is missing, and every seventh category is none that the model has. */
function columns(categories: readonly string[]): FeatureColumn[] {
  const age = Float64Array.from({ length: ROWS }, (_, row) => (row % 11 === 0 ? Number.NaN : (row * 37) % 80));
  const codes = Int32Array.from({ length: ROWS }, (_, row) => (row % 7 === 0 ? -1 : row % categories.length));
  return [
    { name: 'age', kind: 'numeric', values: age },
    { name: 'city', kind: 'categorical', categories, codes },
  ];
}

const target = Float64Array.from({ length: ROWS }, (_, row) => ((row * 37) % 80) * 3 + (row % 5) * 10);

describe.each([
  ['forest', () => trainForest({ columns: columns(['Bern', 'Basel', 'Zug']), target }, { nEstimators: 20, nJobs: 1 })],
  [
    'boosting',
    () => trainBoosting({ columns: columns(['Bern', 'Basel', 'Zug']), target }, { nEstimators: 20, nJobs: 1 }),
  ],
] as const)('the %s that Python loads by alias', (name, trained) => {
  it('predicts what Node does, also for missing values and unseen categories, and is served by MLflow', async () => {
    const model = await trained();
    const { matrix } = encodeColumns(model.features, columns(['Zug', 'Chur', 'Bern', 'Basel', 'Genf']));
    const rows = Array.from({ length: ROWS }, (_, row) => [...matrix.subarray(row * 2, row * 2 + 2)]);
    const training = trainingExample(name, 5);
    const inputExample = rows.slice(0, 3);
    await logTraining(
      {
        ...training,
        model: { name, onnx: toOnnx(model), features: model.features, inputExample },
      },
      {
        trackingUri: server.uri,
        experimentName: 'models',
        records: new MemoryStore(),
        evaluateChampion: async (_, heldOut) => championScore(4, heldOut),
      },
    );
    const data = rows.map((row) => row.map((value) => (Number.isNaN(value) ? null : value)));
    await writeFile(join(folder, 'rows.json'), JSON.stringify({ columns: ['age', 'city'], data }));
    const env = { ...process.env, MLFLOW_TRACKING_URI: server.uri };
    const script = join(import.meta.dirname, 'mlflow', 'predict.py');
    const { stdout } = await run(python, [script, name, join(folder, 'rows.json')], { env });
    const here = model.predictMatrix(matrix);
    expectClose(JSON.parse(stdout), here);

    const port = await portToUse(0);
    const served = await startServer({
      name: 'The scoring server',
      failure: 'SCORING_START_FAILED',
      command: python,
      args: [
        ...['-m', 'mlflow', 'models', 'serve', '--model-uri', `models:/${name}@champion`],
        ...['--env-manager', 'local', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ],
      env: { ...env, PATH: `${join(python, '..')}:${process.env.PATH ?? ''}` },
      cwd: folder,
      log: join(folder, 'scoring.log'),
      port,
      health: `http://127.0.0.1:${port}/ping`,
      healthy: () => true,
    });
    try {
      const ask = async (body: unknown): Promise<number[]> => {
        const response = await fetch(`http://127.0.0.1:${port}/invocations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        expect(response.status).toBe(200);
        const answer: { predictions: { prediction: number }[] } = JSON.parse(await response.text());
        return answer.predictions.map(({ prediction }) => prediction);
      };
      expectClose(
        await ask({ dataframe_split: { columns: ['age', 'city'], data: data.slice(0, 20) } }),
        here.slice(0, 20),
      );
      // Whole numbers come as integers in JSON.
      expectClose(
        await ask({ dataframe_records: [{ city: 1, age: 30 }] }),
        model.predictMatrix(Float32Array.of(30, 1)),
      );
    } finally {
      await served.stop();
    }
  }, 180_000);
});

function expectClose(there: readonly number[], here: Float64Array): void {
  expect(there).toHaveLength(here.length);
  const worst = Math.max(...here.map((value, at) => Math.abs((there[at] ?? Number.NaN) - value) / Math.abs(value)));
  expect(worst).toBeLessThan(1e-5);
}
