import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeColumns, evaluate, takeRows, toOnnx, trainBoosting } from '../../lib/forest/index.ts';
import { interpreterOf } from '../../lib/mlflow/index.ts';
import { exampleData, numeric } from '../lib/forest/example.ts';

const run = promisify(execFile);
const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-boosting-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bytesOf = async (name: string): Promise<ArrayBuffer> =>
  Uint8Array.from(await readFile(join(folder, name))).buffer;

describe('boosted trees in onnxruntime', () => {
  it('predict rows with missing values and unseen categories as here', async () => {
    const model = await trainBoosting(exampleData(3000), { nEstimators: 100 });
    const others = exampleData(2000, 8).columns.map((column) =>
      column.kind === 'categorical'
        ? { ...column, categories: column.categories.map((name, code) => (code % 3 === 0 ? `new ${name}` : name)) }
        : column,
    );
    const { matrix } = encodeColumns(model.features, others);
    const [file, rows, output] = ['model.onnx', 'rows.f32', 'predicted.f32'].map((name) => join(folder, name));
    if (file === undefined || rows === undefined || output === undefined) throw new Error('no paths');
    await writeFile(file, toOnnx(model));
    await writeFile(rows, new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength));
    await run(python, [join(import.meta.dirname, 'forest', 'predict.py'), file, rows, output]);
    const theirs = new Float32Array(await bytesOf('predicted.f32'));
    const ours = model.predictMatrix(matrix);
    expect(theirs).toHaveLength(ours.length);
    expect(ours.findIndex((value, row) => Math.abs(value / (theirs[row] ?? NaN) - 1) > 1e-5)).toBe(-1);
  }, 60_000);
});

describe('boosted trees beside HistGradientBoostingRegressor', () => {
  it.each([
    ['diabetes', 0],
    ['diabetes', 0.2],
    ['wine', 0],
    ['wine', 0.2],
    ['breast_cancer', 0],
    ['breast_cancer', 0.2],
  ])(
    'err no more on %s with a share of %d missing, over five folds, drawn six times',
    async (name, missing) => {
      const script = join(import.meta.dirname, 'boosting', 'accuracy.py');
      // Its threads wait for each other by spinning, which takes minutes where other tests run beside them.
      const env = { ...process.env, OMP_NUM_THREADS: '1' };
      const { stdout } = await run(python, [script, name, folder, String(missing)], { env });
      const theirs: { width: number; rmse: number } = JSON.parse(stdout);
      const values = new Float64Array(await bytesOf('features.f64'));
      const target = new Float64Array(await bytesOf('target.f64'));
      const folds = new Int32Array(await bytesOf('folds.i32'));
      const columns = Array.from({ length: theirs.width }, (_, at) =>
        numeric(
          `x${at}`,
          Float64Array.from(target, (_value, row) => values[row * theirs.width + at] ?? NaN),
        ),
      );
      let squares = 0;
      for (let draw = 0; draw < 6; draw++) {
        const fold = folds.subarray(draw * target.length, (draw + 1) * target.length);
        for (let heldOut = 0; heldOut < 5; heldOut++) {
          const rows = Uint32Array.from(fold.keys()).filter((row) => fold[row] !== heldOut);
          const others = Uint32Array.from(fold.keys()).filter((row) => fold[row] === heldOut);
          const model = await trainBoosting({ columns, target, rows }, { minSamplesLeaf: 10 });
          squares += evaluate(takeRows(target, others), model.predict(columns, others)).rmse ** 2 / 30;
        }
      }
      // Where they tie two splits they may take different ones, which moves the error by a few per cent.
      expect(Math.sqrt(squares) / theirs.rmse).toBeLessThan(1.06);
      expect(Math.sqrt(squares) / theirs.rmse).toBeGreaterThan(0.9);
    },
    180_000,
  );
});
