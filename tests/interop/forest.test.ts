import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeColumns, type TreeEnsemble, toOnnx, trainForest } from '../../lib/forest/index.ts';
import { interpreterOf } from '../../lib/mlflow/index.ts';
import { exampleData, numeric } from '../lib/forest/example.ts';

const run = promisify(execFile);
const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-forest-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What onnxruntime predicts for a matrix, by the forest's file. */
async function predictInPython(forest: TreeEnsemble, matrix: Float32Array): Promise<Float32Array> {
  const [model, rows, output] = ['model.onnx', 'rows.f32', 'predicted.f32'].map((name) => join(folder, name));
  if (model === undefined || rows === undefined || output === undefined) throw new Error('no paths');
  await writeFile(model, toOnnx(forest));
  await writeFile(rows, new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength));
  await run(python, [join(import.meta.dirname, 'forest', 'predict.py'), model, rows, output]);
  const bytes = await readFile(output);
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

async function expectSame(forest: TreeEnsemble, matrix: Float32Array): Promise<void> {
  const ours = forest.predictMatrix(matrix);
  const theirs = await predictInPython(forest, matrix);
  expect(theirs).toHaveLength(ours.length);
  let worst = 0;
  ours.forEach((value, row) => {
    worst = Math.max(worst, Math.abs(value - (theirs[row] ?? Number.NaN)) / Math.abs(value));
  });
  expect(worst).toBeLessThan(1e-5);
}

describe('a forest in onnxruntime', () => {
  it('predicts the rows it learnt from, and others, as here', async () => {
    const data = exampleData(3000);
    const forest = await trainForest(data, { nEstimators: 100, maxDepth: 10, randomState: 3 });
    await expectSame(forest, encodeColumns(forest.features, data.columns).matrix);
    await expectSame(forest, encodeColumns(forest.features, exampleData(2000, 8).columns).matrix);
  }, 60_000);

  it('decides values at the thresholds, beyond them, infinite and missing ones as here', async () => {
    const data = exampleData(500);
    const forest = await trainForest(data, { nEstimators: 500, randomState: 3 });
    const edges: number[] = [];
    for (const tree of forest.trees.slice(0, 20)) {
      tree.threshold.forEach((threshold) => {
        for (let feature = 0; feature < forest.features.length; feature++) edges.push(threshold);
      });
    }
    const odd = [Infinity, -Infinity, Number.NaN, 3.4028234663852886e38, -0, 1e-45];
    for (const value of odd) for (let at = 0; at < forest.features.length; at++) edges.push(value);
    await expectSame(forest, Float32Array.from(edges));
  }, 60_000);

  it('holds where a tree is one leaf', async () => {
    const forest = await trainForest(
      { columns: [numeric('x', [1, 2, 3])], target: Float64Array.of(7, 7, 7) },
      { nEstimators: 3 },
    );
    await expectSame(forest, Float32Array.of(0, 5, Number.NaN));
  }, 60_000);
});
