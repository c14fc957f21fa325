import { purchases } from '../../../datasets/purchases/index.ts';
import { fromOnnx } from '../../../lib/forest/index.ts';
import { localModel } from '../../../lib/mlflow/index.ts';
import { predictionColumns } from '../../../lib/pipeline/predictions.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { type ServerDouble, startServerDouble } from '../mlflow/server-double.ts';
import { linearModel, mlmodel } from '../serving/onnx-graph.ts';
import { temporaryFolder } from './folder.ts';
import { Lakehouse } from './lakehouse.ts';
import { beforeWrite, blocked } from './stores.ts';

const folder = temporaryFolder();
let house: Lakehouse;

beforeEach(() => {
  house = new Lakehouse(openStore(folder()));
});

async function counted(): Promise<Record<string, unknown> | undefined> {
  const [row] = await house.query(`SELECT count(*)::INTEGER AS rows, count(DISTINCT purchase_id)::INTEGER AS keys,
    (SELECT count(*)::INTEGER FROM silver.purchases) AS silver,
    count(*) FILTER (lower <= predicted AND predicted <= upper)::INTEGER AS inside,
    list(DISTINCT model_version ORDER BY model_version) AS versions, list(DISTINCT run_id ORDER BY run_id) AS runs
    FROM gold.predictions`);
  return row;
}

describe('gold/predictions', () => {
  it('has each row of silver as the champion predicts it, with its interval', async () => {
    const [, , gold] = await house.all({ runId: 'r1' });
    const all = await counted();
    expect(all).toMatchObject({ keys: all?.rows, silver: all?.rows, inside: all?.rows, versions: ['1'], runs: ['r1'] });
    expect(gold).toMatchObject({ predictions: { rows: all?.rows, modelVersion: '1' } });
    const { onnx = new Uint8Array() } = (await localModel(house.records, 'purchase-amount', 'champion')) ?? {};
    const model = fromOnnx(onnx);
    const rows = await house.query('FROM silver.purchases JOIN gold.predictions USING (purchase_id) LIMIT 50');
    const matrix = rows.flatMap((row) =>
      model.features.map((feature) =>
        feature.kind === 'numeric' ? Number(row[feature.name]) : feature.categories.indexOf(String(row[feature.name])),
      ),
    );
    const { predicted, lower, upper } = model.predictIntervals(Float32Array.from(matrix));
    expect(rows.map((row) => [row.predicted, row.lower, row.upper])).toEqual(
      [...predicted].map((value, at) => [value, lower[at], upper[at]]),
    );
  });

  it('gets the rows that are new, and leaves those that are there', async () => {
    await house.all({ runId: 'r1' });
    const before = await counted();
    // The same delivery once more, some of it with corrections: no key is new.
    const [, , again] = await house.all({ runId: 'r2' });
    expect(again).toMatchObject({ predictions: { rows: 0 } });
    expect(await counted()).toEqual(before);
    const [, , more] = await house.all({ runId: 'r3', seed: 7 });
    const after = await counted();
    expect(after).toMatchObject({ keys: after?.rows, silver: after?.rows, runs: ['r1', 'r3'] });
    expect(more).toMatchObject({ predictions: { rows: Number(after?.rows) - Number(before?.rows) } });
  });

  it('is written by the champion, which is not always the model just trained', async () => {
    await house.all({ runId: 'r1', algorithm: 'boosting', trees: 60 });
    const [, , second] = await house.all({ runId: 'r2', seed: 7, trees: 1, maxDepth: 1 });
    expect(second).toMatchObject({ mlflow: { version: '2', champion: false }, predictions: { modelVersion: '1' } });
    expect(await counted()).toMatchObject({ versions: ['1'], runs: ['r1', 'r2'] });
  });

  it('is written once by a step that comes again, also where the champion changed meanwhile', async () => {
    await house.bronze({ runId: 'r1' });
    await house.silver({ runId: 'r1' });
    // Dies after the predictions, before the entry in ops/runs.
    const failing = house.through(blocked(house.lake, 'ops/runs/'));
    await expect(failing.gold({ runId: 'r1' })).rejects.toMatchObject({ code: expect.any(String) });
    const before = await counted();
    expect(before).toMatchObject({ runs: ['r1'], versions: ['1'] });
    await house.gold({ runId: 'other', algorithm: 'boosting', trees: 60 });
    const again = await house.gold({ runId: 'r1' });
    expect(again).toMatchObject({ predictions: { rows: before?.rows, modelVersion: '1' } });
    expect(await counted()).toEqual(before);
  });

  it('has each key once when two runs score at the same time', async () => {
    await house.bronze({ runId: 'r0' });
    await house.silver({ runId: 'r0' });
    const act = async (): Promise<void> => {
      await house.gold({ runId: 'b' });
    };
    const late = house.through(
      beforeWrite(house.lake, 'gold/predictions/_delta_log/00000000000000000001.json', { act }),
    );
    expect(await late.gold({ runId: 'a' })).toMatchObject({ predictions: { rows: 0 } });
    const all = await counted();
    expect(all).toMatchObject({ keys: all?.rows, silver: all?.rows, runs: ['b'] });
  });
});

describe('a champion that Python trained', () => {
  let server: ServerDouble;
  beforeEach(async () => {
    server = await startServerDouble();
    house = house.under({ MLFLOW_TRACKING_URI: server.uri });
    await house.bronze({ runId: 'r1' });
    await house.silver({ runId: 'r1' });
  });
  afterEach(() => server.close());

  function champion(said: object[], width: number): void {
    server.versions.push({ version: '1', runId: '', modelId: 'theirs', tags: new Map(), description: '' });
    const onnx = linearModel(
      [{ name: 'x', type: 'float', width }],
      [...Array(width).keys()].map((at) => 10 ** at),
    );
    server.files.set('1/models/theirs/artifacts/model.onnx', Buffer.from(onnx));
    server.files.set('1/models/theirs/artifacts/MLmodel', Buffer.from(mlmodel(said)));
    server.aliases.set('champion', '1');
  }

  it('scores the rows', async () => {
    champion(
      [
        { name: 'hour', type: 'long' },
        { name: 'month', type: 'long' },
      ],
      2,
    );
    const gold = await house.gold({ runId: 'r1' });
    expect(gold).toMatchObject({ mlflow: { version: '2', champion: false }, predictions: { modelVersion: '1' } });
    const [wrong] =
      await house.query(`SELECT count(*)::INTEGER AS n, count(lower)::INTEGER AS lower FROM gold.predictions
      JOIN silver.purchases USING (purchase_id) WHERE predicted <> hour + 10 * month OR lower IS NOT NULL`);
    expect(wrong).toEqual({ n: 0, lower: 0 });
  });

  it.each([
    ['a column that silver has not', 'height'],
    ['a number that silver has as text', 'education'],
  ])('and takes %s scores none, which the run says', async (_, name) => {
    champion([{ name, type: 'double' }], 1);
    const gold = await house.gold({ runId: 'r1' });
    expect(gold).toMatchObject({ predictions: { rows: 0, reason: expect.stringContaining(name) } });
    expect(gold.tables.map(({ table }) => table)).toContain('gold/predictions');
    expect(await house.query('FROM gold.predictions')).toEqual([]);
  });
});

it('a key of another type stands in the predictions as in silver', () => {
  const identity = { key: 'age', updatedAt: 'updated_at' };
  expect(predictionColumns({ ...purchases, identity })[0]).toEqual({ name: 'age', type: 'integer' });
});
