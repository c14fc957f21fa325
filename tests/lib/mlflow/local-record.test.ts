import {
  type EvaluateModel,
  keepRecord,
  localModel,
  localVersions,
  logTraining,
  readRecord,
  recordKeys,
} from '../../../lib/mlflow/index.ts';
import { MemoryStore } from '../../../lib/storage/index.ts';
import { championScore, trainingExample } from './training-example.ts';

const evaluateChampion: EvaluateModel = async (_, heldOut) => championScore(4, heldOut);
const target = (records: MemoryStore) => ({ experimentName: 'lakelet', records, evaluateChampion });

describe('recording without a server', () => {
  it('keeps all that was told of the training', async () => {
    const records = new MemoryStore();
    const training = trainingExample('a', 5, {
      children: [{ name: 'baseline', params: {}, metrics: { rmse: Number.POSITIVE_INFINITY } }],
    });
    const logged = await logTraining(training, target(records));
    expect(logged).toMatchObject({
      runId: 'a',
      modelVersion: '1',
      champion: true,
      recorded: 'local',
      experimentId: 'lakelet',
    });
    const [key = ''] = await recordKeys(records);
    const back = await readRecord(records, key);
    expect(back).toEqual({ experimentName: 'lakelet', training });
  });

  it('records a run id once, and the first record stays', async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('a', 5), target(records));
    const again = await logTraining(trainingExample('a', 1), target(records));
    expect(again).toMatchObject({ modelVersion: '1', already: true });
    expect(await recordKeys(records)).toHaveLength(1);
    expect(await localVersions(records, 'purchase-amount')).toHaveLength(1);
  });

  it('registers a record whose process died before it was registered', async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('a', 5), target(records));
    await records.delete('registry/purchase-amount/0000000001.json');
    expect(await logTraining(trainingExample('a', 5), target(records))).toMatchObject({
      modelVersion: '1',
      champion: true,
    });
  });

  it('registers what was kept, also where a later try of the same run id came to a better model', async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('z', 6), target(records));
    await logTraining(trainingExample('a', 5), target(records));
    await records.delete('registry/purchase-amount/0000000002.json');
    expect((await logTraining(trainingExample('a', 1), target(records))).champion).toBe(false);
  });

  it('chooses the champion by the same rule as on a server, and hands its model out', async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('a', 5), target(records));
    expect((await logTraining(trainingExample('b', 4), target(records))).champion).toBe(false);
    expect((await logTraining(trainingExample('c', 3), target(records))).champion).toBe(true);
    const champion = await localModel(records, 'purchase-amount', 'champion');
    expect(champion?.version).toBe('3');
    expect(new TextDecoder().decode(champion?.onnx)).toBe('model of c');
    expect((await localModel(records, 'purchase-amount', 'challenger'))?.version).toBe('1');
    await logTraining(trainingExample('d', 4.5), target(records));
    expect((await localModel(records, 'purchase-amount', 'challenger'))?.version).toBe('4');
    expect((await localModel(records, 'purchase-amount', '2'))?.version).toBe('2');
    expect(await localModel(records, 'purchase-amount', '9')).toBeUndefined();
  });

  it('gives each of many trainings at once a version of its own, and decides in their order', async () => {
    const records = new MemoryStore();
    const evaluate: EvaluateModel = async (onnx, heldOut) =>
      championScore(Number(new TextDecoder().decode(onnx).slice('model of run'.length)), heldOut);
    const runs = Array.from({ length: 12 }, (_, at) => trainingExample(`run${12 - at}`, 12 - at));
    await Promise.all(
      runs.map((training) => logTraining(training, { ...target(records), evaluateChampion: evaluate })),
    );
    const versions = await localVersions(records, 'purchase-amount');
    expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    let best = Number.POSITIVE_INFINITY;
    for (const { runId, champion } of versions) {
      const rmse = Number(runId.slice(3));
      expect(champion).toBe(rmse < best);
      best = Math.min(best, rmse);
    }
  });

  it('keeps hostile run ids apart and inside its folder', async () => {
    const records = new MemoryStore();
    const ids = ['../../x', '..', 'A', 'a', 'a/b', 'é'.repeat(200), 'CON', "it's"];
    for (const id of ids) await logTraining(trainingExample(id, 5), target(records));
    const keys = await recordKeys(records);
    expect(keys).toHaveLength(ids.length);
    expect(new Set(keys.map((key) => key.toLowerCase())).size).toBe(ids.length);
    for (const key of keys) expect(key).toMatch(/^runs\/[\w~-]{1,100}\.json$/);
  });

  it('names a damaged record and what to do', async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('a', 5), target(records));
    await records.put('runs/a.json', new TextEncoder().encode('{"format": 1'));
    await expect(readRecord(records, 'runs/a.json')).rejects.toMatchObject({ code: 'MLFLOW_RECORD_CORRUPT' });
    await records.put('runs/a.json', new TextEncoder().encode('{"format": 3}'));
    await expect(readRecord(records, 'runs/a.json')).rejects.toMatchObject({ code: 'MLFLOW_RECORD_CORRUPT' });
  });

  it("lets the next model be champion where the champion's record was removed", async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('a', 5), target(records));
    await records.delete('runs/a.json');
    expect(await localModel(records, 'purchase-amount', 'champion')).toBeUndefined();
    expect(await logTraining(trainingExample('b', 9), target(records))).toMatchObject({
      modelVersion: '2',
      champion: true,
    });
  });

  it('reads records of format 1, which had less', async () => {
    const records = new MemoryStore();
    const { curves: _, artifacts: __, ...training } = trainingExample('a', 5);
    const { predicted: ___, ...heldOut } = training.heldOut;
    const { predicate: ____, ...dataset } = training.dataset;
    const old = { ...training, heldOut, dataset, children: [] };
    await keepRecord(records, { experimentName: 'lakelet', training: old });
    const text = new TextDecoder().decode(await records.get('runs/a.json'));
    await records.put('runs/a.json', new TextEncoder().encode(text.replace('"format": 2', '"format": 1')));
    expect(await readRecord(records, 'runs/a.json')).toEqual({ experimentName: 'lakelet', training: old });
  });

  it('notices a model whose bytes have changed', async () => {
    const records = new MemoryStore();
    await logTraining(trainingExample('a', 5), target(records));
    for await (const { key } of records.list('blobs/')) await records.put(key, new Uint8Array([1]));
    await expect(localModel(records, 'purchase-amount', 'champion')).rejects.toMatchObject({
      code: 'MLFLOW_RECORD_CORRUPT',
    });
  });
});
