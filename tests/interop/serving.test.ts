// Models that Python logs to a real MLflow server by the onnx flavor, served here.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../../lib/config.ts';
import { interpreterOf, type RunningServer, startMlflowServer } from '../../lib/mlflow/index.ts';
import { loadServedModel, type ScoredRecord, scoreRecords } from '../../lib/serving/index.ts';

const run = promisify(execFile);
const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));

interface Told {
  readonly records: readonly ScoredRecord[];
  readonly predictions: readonly number[];
}

let folder: string;
let server: RunningServer;
let told: Readonly<Record<string, Told>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-serving-'));
  server = await startMlflowServer({ home: join(folder, 'home'), candidates: [python], port: 0 });
  const file = join(folder, 'told.json');
  const script = join(import.meta.dirname, 'serving', 'log_models.py');
  await run(python, [script, file], { env: { ...process.env, MLFLOW_TRACKING_URI: server.uri }, cwd: folder });
  told = JSON.parse(await readFile(file, 'utf8'));
}, 300_000);

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

describe('a champion that Python logged', () => {
  it.each(['sklearn-forest', 'linear-tensor', 'mixed-columns', 'wide'])(
    '%s predicts here what it predicts there',
    async (name) => {
      const { records = [], predictions = [] } = told[name] ?? {};
      const config = loadConfig({ MLFLOW_TRACKING_URI: server.uri });
      const model = await loadServedModel(config, `${name}@champion`);
      expect(model).toMatchObject({ name, version: '1' });
      // Columns are found by name: their order in a record is of no account.
      const turned = records.map((record) => Object.fromEntries(Object.entries(record).reverse()));
      const { predicted } = await scoreRecords(model, turned);
      expect(predicted).toHaveLength(predictions.length);
      expect(predictions.length).toBeGreaterThan(3);
      const apart = [...predicted].map((value, at) => Math.abs(value - (predictions[at] ?? Number.NaN)));
      const scale = Math.max(...predictions.map(Math.abs));
      expect(Math.max(...apart)).toBeLessThan(1e-5 * scale);
      expect(new Set(predictions).size).toBeGreaterThan(2);
    },
  );
});
