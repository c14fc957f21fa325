import { hostname } from 'node:os';
import { type EvaluateModel, keepRecord, logTraining, pushRecords } from '../../../lib/mlflow/index.ts';
import { MemoryStore } from '../../../lib/storage/index.ts';
import { type ServerDouble, startServerDouble } from './server-double.ts';
import { championScore, trainingExample } from './training-example.ts';

let server: ServerDouble;
let records: MemoryStore;
beforeEach(async () => {
  server = await startServerDouble();
  records = new MemoryStore();
});
afterEach(() => server.close());

/** Knows of a champion by its bytes what its RMSE was: `rmses` tells. */
const rmses: Record<string, number> = { z: 5, m: 4, a: 5 };
const evaluateChampion: EvaluateModel = async (onnx, heldOut) =>
  championScore(rmses[new TextDecoder().decode(onnx).slice('model of '.length)] ?? Number.NaN, heldOut);
const push = (more = {}) => pushRecords(records, { trackingUri: server.uri, attempts: 1, evaluateChampion, ...more });
const keep = (runId: string, rmse: number, startedAt: number) =>
  keepRecord(records, { experimentName: 'lakelet', training: trainingExample(runId, rmse, { startedAt }) });
const finished = () =>
  server.runs.filter(({ status }) => status === 'FINISHED').map(({ tags }) => tags.get('lakelet.run_id'));

describe('pushing kept records', () => {
  it('sends each once, in the order of time, and the best becomes champion', async () => {
    await keep('z', 5, 1);
    await keep('a', 3, 3);
    await keep('m', 4, 2);
    const first = await push();
    expect(first.pushed.map(({ champion }) => champion)).toEqual([true, true, true]);
    expect(finished()).toEqual(['z', 'm', 'a']);
    expect(server.champion).toBe('3');
    expect(await push()).toEqual({ pushed: [], already: 3, failed: [] });
    expect(server.runs).toHaveLength(3);
    expect(server.versions).toHaveLength(3);
  });

  it('brings what an outage held back', async () => {
    server.fail = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    const target = {
      trackingUri: server.uri,
      experimentName: 'lakelet',
      records,
      evaluateChampion,
      attempts: 1,
    };
    await expect(logTraining(trainingExample('a', 5), target)).rejects.toMatchObject({ code: 'MLFLOW_FAILED' });
    server.fail = () => false;
    expect((await push()).pushed).toHaveLength(1);
    expect(finished()).toEqual(['a']);
  });

  it('goes on where it was cut off, whatever the call', async () => {
    await keep('a', 5, 1);
    await keep('b', 4, 2);
    for (let nth = 1; ; nth += 3) {
      let count = 0;
      server.fail = (_, response) => {
        if (++count < nth) return false;
        response.destroy();
        return true;
      };
      const done = await push().then(
        () => true,
        () => false,
      );
      if (done) break;
    }
    expect(finished()).toEqual(['a', 'b']);
    expect(server.versions).toHaveLength(2);
    expect(server.champion).toBe('2');
  });

  it('sends all again to a server that lost its data', async () => {
    await keep('a', 5, 1);
    await push();
    await server.close();
    server = await startServerDouble();
    expect((await push()).pushed).toHaveLength(1);
  });

  it('leaves out a damaged record, says so, and sends the others', async () => {
    await keep('a', 5, 1);
    await keep('b', 4, 2);
    await records.put('runs/a.json', new TextEncoder().encode('not json'));
    const { pushed, failed } = await push();
    expect(pushed).toHaveLength(1);
    expect(failed.map(({ key, error }) => [key, error.code])).toEqual([['runs/a.json', 'MLFLOW_RECORD_CORRUPT']]);
  });

  it('leaves out a record that the server refuses, and stops where it refuses all', async () => {
    await keep('a', 5, 1);
    await keep('b', 4, 2);
    let first = true;
    server.fail = (call, response) => {
      if (call !== 'POST runs/log-batch' || !first) return false;
      first = false;
      response.writeHead(400).end('{"error_code": "INVALID_PARAMETER_VALUE", "message": "too long"}');
      return true;
    };
    const { pushed, failed } = await push();
    expect([pushed.length, failed.map(({ error }) => error.code)]).toEqual([1, ['MLFLOW_REFUSED']]);
    server.fail = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    await expect(push()).rejects.toMatchObject({ code: 'MLFLOW_REFUSED' });
  });

  it('compares with the present champion on the rows that were kept with the record', async () => {
    await keep('a', 5, 1);
    await push();
    await keep('b', 4, 2);
    const seen: unknown[] = [];
    const { pushed } = await push({
      evaluateChampion: async (...[onnx, heldOut]: Parameters<EvaluateModel>) => {
        seen.push([new TextDecoder().decode(onnx), heldOut]);
        return championScore(30, heldOut);
      },
    });
    expect(seen).toEqual([['model of a', trainingExample('b', 4).heldOut]]);
    expect(pushed[0]).toMatchObject({ champion: true, reason: expect.stringContaining('against 30 of version 1') });
  });

  it('lets the champion stay where nothing can compare it with the new model', async () => {
    await keep('a', 5, 1);
    await push();
    const heldOut = { id: 'rows-2', rows: 2 };
    await keepRecord(records, {
      experimentName: 'lakelet',
      training: trainingExample('b', 1, { startedAt: 2, heldOut }),
    });
    expect((await push()).pushed[0]?.champion).toBe(false);
    await keep('c', 1, 3);
    expect((await push({ evaluateChampion: undefined })).pushed[0]?.champion).toBe(false);
    expect(server.champion).toBe('1');
  });

  it('is refused while another push is at work, and takes over from one that died', async () => {
    await keep('a', 5, 1);
    const lease = (pid: number, expires: number, host = hostname()) =>
      records.put(
        'push-leases/0000000007.json',
        new TextEncoder().encode(JSON.stringify({ token: 'other', host, pid, expires })),
      );
    await lease(process.pid, Date.now() + 60_000);
    await expect(push()).rejects.toMatchObject({ code: 'MLFLOW_PUSH_BUSY', retryable: true });
    expect(server.calls).toEqual([]);
    await lease(1, Date.now() - 1, 'elsewhere');
    expect((await push()).pushed).toHaveLength(1);
    // It was given back: another may push at once.
    expect((await push()).already).toBe(1);
  });

  it('is done by one alone of those who find the same lease over', async () => {
    await keep('a', 5, 1);
    const dead = { token: 'other', host: 'elsewhere', pid: 1, expires: Date.now() - 1 };
    await records.put('push-leases/0000000001.json', new TextEncoder().encode(JSON.stringify(dead)));
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => push()));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(refused).toEqual(Array(4).fill('MLFLOW_PUSH_BUSY'));
    expect(server.runs).toHaveLength(1);
  });

  it('stops where another push has taken over meanwhile', async () => {
    await keep('a', 5, 1);
    await keep('b', 5, 2);
    const taken = { token: 'other', host: 'elsewhere', pid: 1, expires: Date.now() + 60_000 };
    const takeOver = () => records.put('push-leases/0000000099.json', new TextEncoder().encode(JSON.stringify(taken)));
    await expect(push({ onPushed: () => void takeOver() })).rejects.toMatchObject({ code: 'MLFLOW_PUSH_BUSY' });
    expect(server.runs).toHaveLength(1);
  });

  it('is done once by two pushes at the same time', async () => {
    await keep('a', 5, 1);
    const results = await Promise.allSettled([push(), push()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(server.runs).toHaveLength(1);
  });
});
