import { hostname } from 'node:os';
import { LakeletError } from '../../../lib/errors.ts';
import { type EvaluateModel, fetchModel, logTraining } from '../../../lib/mlflow/index.ts';
import { MemoryStore } from '../../../lib/storage/index.ts';
import { type ServerDouble, startServerDouble } from './server-double.ts';
import { championScore, trainingExample } from './training-example.ts';

let server: ServerDouble;
beforeEach(async () => {
  server = await startServerDouble();
});
afterEach(() => server.close());

const keys = async (store: MemoryStore) => (await Array.fromAsync(store.list(''))).map(({ key }) => key);

function target(records = new MemoryStore()) {
  return {
    trackingUri: server.uri,
    experimentName: 'lakelet',
    records,
    evaluateChampion: (async (_, heldOut) => championScore(4, heldOut)) satisfies EvaluateModel,
    timeoutMs: 300,
    attempts: 2,
  };
}

async function codeOf(promise: Promise<unknown>): Promise<LakeletError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LakeletError) return error;
  throw new Error(`no LakeletError but ${String(error)}`);
}

describe('logging to a server', () => {
  it('logs parameters, metrics, tags, the dataset with its version, and the model, and ends the run', async () => {
    const records = new MemoryStore();
    const logged = await logTraining(trainingExample('a', 5), target(records));
    expect(logged).toMatchObject({
      runId: 'run1',
      modelVersion: '1',
      champion: true,
      recorded: 'server',
      already: false,
    });
    const [run] = server.runs;
    expect(run?.status).toBe('FINISHED');
    expect(run?.params.get('bootstrap')).toBe('true');
    expect(run?.metrics.get('rmse')).toBe(5);
    expect(run?.metrics.get('mae')).toBe('NaN');
    expect(run?.tags.get('team')).toBe('tests');
    expect(run?.tags.get('lakelet.champion_reason')).toMatch(/first model/);
    expect(JSON.stringify(run?.inputs)).toContain('\\"delta_table_version\\":7');
    const files = [...server.files.keys()].map((path) => path.replace('1/models/m-run1/artifacts/', ''));
    expect(files.sort()).toEqual([
      '1/run1/artifacts/feature_importances.json',
      '1/run1/artifacts/plots/importances.svg',
      'MLmodel',
      'conda.yaml',
      'input_example.json',
      'model.onnx',
      'python_env.yaml',
      'requirements.txt',
      'serving_input_example.json',
    ]);
    expect((await keys(records)).filter((key) => !key.startsWith('training-leases/'))).toEqual([]);
  });

  it('logs curves by the number of trees, with the model and the rows learnt from; other metrics with those held out', async () => {
    const values = Array.from({ length: 1000 }, (_, at) => (at < 2 ? Number.NaN : 1000 / at));
    await logTraining(trainingExample('a', 5, { curves: [{ name: 'oob_rmse', values }] }), target());
    const [run] = server.runs;
    const points = (run?.points ?? []).filter(({ key }) => key === 'oob_rmse');
    expect(points).toHaveLength(100);
    expect(points[0]).toMatchObject({ step: 3, value: 500, model_id: 'm-run1', dataset_name: 'silver/purchases' });
    expect(points.at(-1)).toMatchObject({ step: 1000, value: 1000 / 999 });
    const rmse = run?.points.find(({ key }) => key === 'rmse');
    const inputs = JSON.parse(JSON.stringify(run?.inputs));
    expect(inputs.map((input: { tags: { value: string }[] }) => input.tags[0]?.value)).toEqual([
      'training',
      'evaluation',
    ]);
    expect([inputs[0].dataset.digest, inputs[1].dataset.digest]).toEqual([
      points[0]?.dataset_digest,
      rmse?.dataset_digest,
    ]);
    expect(inputs[0].dataset.digest).not.toBe(inputs[1].dataset.digest);
    expect(JSON.parse(inputs[0].dataset.source)).toMatchObject({ delta_table_version: 7, predicate: 'age > 18' });
  });

  it('tells the result in a note on the run and its version, in which text from outside is no markup', async () => {
    const { dataset } = trainingExample('a', 5);
    await logTraining(trainingExample('a', 5, { dataset: { ...dataset, predicate: 'a | <b>' } }), target());
    const note = server.runs[0]?.tags.get('mlflow.note.content');
    expect(note).toBe(server.versions[0]?.description);
    expect(note).toContain('Version 1 became champion: the first model: RMSE 5');
    expect(note).toContain('| this model | 5 | NaN | 0.8 |');
    expect(note).toContain('where a \\| \\<b\\>.');
  });

  it('logs a run id once', async () => {
    await logTraining(trainingExample('a', 5), target());
    const again = await logTraining(trainingExample('a', 5), target());
    expect(again).toMatchObject({ runId: 'run1', modelVersion: '1', champion: true, already: true });
    expect(server.runs).toHaveLength(1);
    expect(server.versions).toHaveLength(1);
  });

  it('logs a run id once also where processes do it at the same moment', async () => {
    const records = new MemoryStore();
    const answers = await Promise.all([1, 2, 3].map(() => logTraining(trainingExample('a', 5), target(records))));
    expect(answers.map(({ already }) => already).sort()).toEqual([false, true, true]);
    for (const answer of answers) expect(answer).toMatchObject({ runId: 'run1', modelVersion: '1', champion: true });
    expect(server.runs.map(({ status }) => status)).toEqual(['FINISHED']);
    expect(server.versions).toHaveLength(1);
  });

  it.each([
    ['has ended', hostname(), 2 ** 22 + 1, 60_000],
    ['elsewhere has given no sign of life for long', 'elsewhere', 1, 400],
  ])('takes over from a process that logged the same training and %s', async (_, host, pid, term) => {
    const records = new MemoryStore();
    const lease = JSON.stringify({ token: 'other', host, pid, expires: Date.now() + term });
    await records.put('training-leases/a/0000000003.json', new TextEncoder().encode(lease));
    await logTraining(trainingExample('a', 5), target(records));
    expect(server.runs.map(({ status }) => status)).toEqual(['FINISHED']);
  });

  it('gives the alias to a model only where it beats the champion on the same held-out rows', async () => {
    await logTraining(trainingExample('a', 5), target());
    const seen: string[] = [];
    const evaluateChampion: EvaluateModel = async (onnx, heldOut) => {
      seen.push(`${new TextDecoder().decode(onnx)} on ${heldOut.id}`);
      return championScore(4, heldOut);
    };
    const worse = await logTraining(trainingExample('b', 4), { ...target(), evaluateChampion });
    expect(worse).toMatchObject({ champion: false, modelVersion: '2' });
    expect(server.champion).toBe('1');
    expect(server.aliases.get('challenger')).toBe('2');
    const better = await logTraining(trainingExample('c', 3.9), { ...target(), evaluateChampion });
    expect(better).toMatchObject({ champion: true, modelVersion: '3' });
    expect(server.champion).toBe('3');
    expect(server.aliases.get('challenger')).toBe('1');
    expect(server.runs[2]?.metrics.get('champion/rmse')).toBe(4);
    expect(server.runs[2]?.metrics.get('champion/p_value')).toBe(0.001);
    expect(server.versions[2]?.tags.get('lakelet.champion_reason')).toContain('p = 0.001 in a paired test');
    expect(seen).toEqual(['model of a on rows-1', 'model of a on rows-1']);
  });

  it('lets the champion stay where it can not be scored on the held-out rows', async () => {
    await logTraining(trainingExample('a', 5), target());
    const evaluateChampion = async () => undefined;
    expect((await logTraining(trainingExample('b', 0.1), { ...target(), evaluateChampion })).champion).toBe(false);
    expect(server.champion).toBe('1');
  });

  it('logs a comparison as a child run of the same experiment', async () => {
    const children = [{ name: 'baseline', params: { sample: 1000 }, metrics: { rmse: 9 } }];
    await logTraining(trainingExample('a', 5, { children }), target());
    expect(server.runs).toHaveLength(2);
    expect(server.runs[1]?.tags.get('mlflow.parentRunId')).toBe('run1');
    expect(server.runs[1]?.metrics.get('rmse')).toBe(9);
    expect(server.runs.map(({ status }) => status)).toEqual(['FINISHED', 'FINISHED']);
  });

  it.each(['log-batch', 'log-inputs', 'update'])(
    'marks the parent and the child FAILED where runs/%s of the child fails',
    async (path) => {
      const children = [{ name: 'baseline', params: {}, metrics: { rmse: 9 } }];
      server.fail = (call, response) => {
        if (call !== `POST runs/${path}` || server.runs.length < 2 || server.runs[1]?.status === 'FAILED') return false;
        if (server.calls.filter((one) => one === call).length > (path === 'update' ? 1 : 2)) return false;
        response.writeHead(400).end('{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}');
        return true;
      };
      await codeOf(logTraining(trainingExample('a', 5, { children }), target()));
      expect(server.runs.map(({ status }) => status)).toEqual(['FAILED', 'FAILED']);
    },
  );

  it('marks what a killed process left: the run, its children and its model', async () => {
    const children = [
      { name: 'one', params: {}, metrics: { rmse: 9 } },
      { name: 'two', params: {}, metrics: { rmse: 9 } },
    ];
    const dead = (call: string, nth: number) => {
      server.fail = (seen, response) => {
        if (seen !== call && server.calls.filter((one) => one === call).length < nth) return false;
        if (server.calls.filter((one) => one === call).length < nth) return false;
        response.destroy();
        return true;
      };
    };
    dead('POST runs/log-batch', 3);
    await codeOf(logTraining(trainingExample('a', 5, { children }), { ...target(), attempts: 1 }));
    expect(server.runs.map(({ status }) => status)).toEqual(['RUNNING', 'FINISHED', 'RUNNING']);
    server.calls.length = 0;
    server.fail = () => false;
    await logTraining(trainingExample('a', 5, { children }), target());
    expect(server.runs.map(({ status }) => status)).toEqual([
      ...['FAILED', 'FAILED', 'FAILED'],
      ...['FINISHED', 'FINISHED', 'FINISHED'],
    ]);
    server.calls.length = 0;
    dead('PUT mlflow-artifacts/artifacts/1/models/m-run7/artifacts/MLmodel', 1);
    await codeOf(logTraining(trainingExample('b', 5), { ...target(), attempts: 1 }));
    expect(server.models.get('m-run7')).toBe('LOGGED_MODEL_PENDING');
    server.fail = () => false;
    await logTraining(trainingExample('b', 5), target());
    expect(server.models.get('m-run7')).toBe('LOGGED_MODEL_UPLOAD_FAILED');
  });

  it('says of a server before MLflow 3 that it is too old', async () => {
    server.fail = (call, response) => {
      if (call === 'GET /version') response.end('2.22.2');
      else if (call === 'POST logged-models') response.writeHead(404).end('<html>');
      else return false;
      return true;
    };
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error.code).toBe('MLFLOW_REFUSED');
    expect(error.message).toContain('(it is MLflow 2.22.2): Lakelet needs a server of MLflow 3');
    expect(server.runs[0]?.status).toBe('FAILED');
  });

  it('splits what MLflow would refuse in one call', async () => {
    const params = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`p${at}`, at]));
    await logTraining(trainingExample('a', 5, { params }), target());
    expect(server.runs[0]?.params.size).toBe(250);
    // The fourth tells the registry's decision.
    expect(server.calls.filter((call) => call === 'POST runs/log-batch')).toHaveLength(4);
  });

  it('at whatever call the server dies, keeps the record, and a second try logs the training once', async () => {
    await logTraining(trainingExample('before', 5), target());
    server.calls.length = 0;
    await logTraining(trainingExample('counted', 4.5), target());
    const total = server.calls.length;
    expect(total).toBeGreaterThan(20);
    for (let nth = 1; nth <= total; nth++) {
      const id = `run-${nth}`;
      const records = new MemoryStore();
      let count = 0;
      server.fail = (_, response) => {
        count++;
        if (count < nth) return false;
        response.destroy();
        return true;
      };
      const error = await codeOf(logTraining(trainingExample(id, 4.5), { ...target(records), attempts: 1 }));
      expect(error).toMatchObject({ code: 'MLFLOW_UNREACHABLE', retryable: true });
      expect(error.message).toMatch(/record is kept in .*`lakelet mlflow push` sends it\.$/);
      expect(await keys(records)).toContain(`runs/${id}.json`);
      server.fail = () => false;
      await logTraining(trainingExample(id, 4.5), target(records));
      const runs = server.runs.filter(({ tags }) => tags.get('lakelet.run_id') === id);
      expect(runs.filter(({ status }) => status === 'FINISHED')).toHaveLength(1);
      expect(runs.filter(({ status }) => status === 'RUNNING')).toHaveLength(0);
      expect(server.versions.filter(({ tags }) => tags.get('lakelet.run_id') === id)).toHaveLength(1);
      expect(server.champion).toBe('1');
      expect(server.aliases.get('challenger')).toBe(server.versions.at(-1)?.version);
    }
  });

  it('marks the run FAILED when the server refuses a part of it', async () => {
    server.fail = (call, response) => {
      if (call !== 'POST runs/log-batch') return false;
      response.writeHead(400).end(JSON.stringify({ error_code: 'INVALID_PARAMETER_VALUE', message: 'bad\nparam' }));
      return true;
    };
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error).toMatchObject({ code: 'MLFLOW_REFUSED', retryable: false });
    expect(error.message).toContain('refused runs/log-batch with 400: bad\\nparam');
    expect(server.runs[0]?.status).toBe('FAILED');
  });
});

describe('a server that is not well', () => {
  const answer = (status: number, body: string) => {
    server.fail = (_, response) => {
      response.writeHead(status).end(body);
      return true;
    };
  };

  it('is MLFLOW_UNREACHABLE where nothing listens', async () => {
    const gone = server.uri;
    await server.close();
    const error = await codeOf(logTraining(trainingExample('a', 5), { ...target(), trackingUri: gone }));
    expect(error).toMatchObject({ code: 'MLFLOW_UNREACHABLE', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
    server = await startServerDouble();
  });

  it('is MLFLOW_UNREACHABLE where it never answers', async () => {
    server.fail = () => true;
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error.code).toBe('MLFLOW_UNREACHABLE');
    expect(error.message).toContain('no answer within 0.3 s');
    expect(server.calls).toHaveLength(2);
  });

  it('is MLFLOW_FAILED where it answers 500, after a second try', async () => {
    answer(500, 'Internal Server Error');
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error).toMatchObject({ code: 'MLFLOW_FAILED', retryable: true });
    expect(server.calls).toHaveLength(2);
  });

  it.each(['<html>', '{"other": 1}', ''])('is MLFLOW_FAILED where it answers %j', async (body) => {
    answer(200, body);
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error).toMatchObject({ code: 'MLFLOW_FAILED', retryable: false });
    expect(error.message).not.toContain('\n');
  });

  it.each([401, 403])('is MLFLOW_REFUSED where it answers %i, once, and says what to check', async (status) => {
    answer(status, '');
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error).toMatchObject({ code: 'MLFLOW_REFUSED', retryable: false });
    expect(error.message).toContain('MLFLOW_TRACKING_TOKEN');
    expect(server.calls).toHaveLength(1);
  });

  it('is asked again after 429, also for a call that must not be repeated otherwise', async () => {
    let refused = false;
    server.fail = (call, response) => {
      if (call !== 'POST runs/create' || refused) return false;
      refused = true;
      response.writeHead(429).end();
      return true;
    };
    await logTraining(trainingExample('a', 5), target());
    expect(server.runs).toHaveLength(1);
  });

  it('does not repeat runs/create after a lost answer', async () => {
    server.fail = (call, response) => {
      if (call !== 'POST runs/create') return false;
      response.destroy();
      return true;
    };
    await codeOf(logTraining(trainingExample('a', 5), { ...target(), attempts: 4 }));
    expect(server.calls.filter((call) => call === 'POST runs/create')).toHaveLength(1);
  });

  it('is told who asks, by token before name and password, which no message repeats', async () => {
    const seen: (string | undefined)[] = [];
    server.fail = (_, response, request) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end();
      return true;
    };
    const named = { ...target(), username: 'ada', password: 'sécret' };
    const error = await codeOf(logTraining(trainingExample('a', 5), named));
    await codeOf(logTraining(trainingExample('a', 5), { ...named, token: 'tok' }));
    expect(seen).toEqual([`Basic ${Buffer.from('ada:sécret').toString('base64')}`, 'Bearer tok']);
    expect(error.message).not.toContain('sécret');
  });

  it('is CANCELLED by the signal, with the record kept', async () => {
    const records = new MemoryStore();
    server.fail = () => true;
    const error = await codeOf(
      logTraining(trainingExample('a', 5), { ...target(records), signal: AbortSignal.timeout(50) }),
    );
    expect(error.code).toBe('CANCELLED');
    expect(await keys(records)).toContain('runs/a.json');
  });

  it('is named where it does not pass artifacts on', async () => {
    server.fail = (call, response) => {
      if (call !== 'POST logged-models') return false;
      response.end(JSON.stringify({ model: { info: { model_id: 'm-1', artifact_uri: 'gs://bucket/x' } } }));
      return true;
    };
    const error = await codeOf(logTraining(trainingExample('a', 5), target()));
    expect(error.code).toBe('MLFLOW_ARTIFACTS');
    expect(error.message).toContain('--serve-artifacts');
  });
});

describe('a training that can not be logged', () => {
  it.each([
    ['no rmse', trainingExample('a', 5, { metrics: { r2: 1 } })],
    ['no run id', trainingExample('', 5)],
    ['a curve MLflow refuses', trainingExample('a', 5, { curves: [{ name: 'a\u0000', values: [1] }] })],
    ['a parameter MLflow refuses', trainingExample('a', 5, { params: { 'a\u0000b': 1 } })],
    [
      'a ragged held-out matrix',
      trainingExample('a', 5, { heldOut: { id: 'x', rows: 3, features: new Float32Array(5) } }),
    ],
  ])('is refused before anything is sent: %s', async (_, training) => {
    const error = await codeOf(logTraining(training, target()));
    expect(error.code).toBe('TRAINING_INVALID');
    expect(server.calls).toEqual([]);
  });
});

describe('an artifact', () => {
  it.each(['../x', '', '/x', 'a//b', 'a/./b', 'ä'])('has no path like "%s"', async (path) => {
    const artifacts = [{ path, body: Uint8Array.of(1) }];
    const error = await codeOf(logTraining(trainingExample('a', 5, { artifacts }), target()));
    expect(error.code).toBe('TRAINING_INVALID');
    expect(server.calls).toEqual([]);
  });
});

describe('fetching a model from a server', () => {
  it('gives the version asked for, or none where there is none', async () => {
    await logTraining(trainingExample('a', 5), target());
    const fetched = (version: string) => fetchModel({ trackingUri: server.uri }, 'purchase-amount', version);
    expect(await fetched('1')).toMatchObject({ version: '1' });
    expect(await fetched('champion')).toEqual(await fetched('1'));
    for (const version of ['2', '99999999999999999999', '-1', 'challenger']) {
      expect(await fetched(version)).toBeUndefined();
    }
  });
});
