/**
 * `npm run bench serving -- [--rows N] [--trees N] [--requests N] [--starts N]`: a forest that the pipeline trained and logged
 * to a real MLflow server, asked through serverless-offline (the function predict, and POST /predictions) and through MLflow's own
 * scoring server (`mlflow models serve`), in turns, over loopback. Prints how long single records and batches of 100 take
 * (median and 99th percentile), their ratio to MLflow's, and how long the first answer of a function takes that was just started.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../lib/config.ts';
import { fromOnnx } from '../lib/forest/index.ts';
import { fetchModel, type RunningServer, startMlflowServer } from '../lib/mlflow/index.ts';
import { portToUse } from '../lib/process/port.ts';
import { type ServerProcess, startServer } from '../lib/process/server.ts';
import { type OfflineServer, startOffline } from '../localstack/offline.ts';
import { measured, PYTHON, ROOT } from './process.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    trees: { type: 'string', default: '100' },
    requests: { type: 'string', default: '500' },
    starts: { type: 'string', default: '5' },
  },
});
const MODEL = 'purchase-amount';
const BATCH = 100;
const home = await mkdtemp(join(tmpdir(), 'lakelet-bench-serving-'));
let mlflow: RunningServer | undefined;
let scoring: ServerProcess | undefined;
let offline: OfflineServer | undefined;
let scoringUri = '';

/** A record, and the row of codes that MLflow takes for it. */
interface Asked {
  readonly record: Readonly<Record<string, string | number>>;
  readonly row: readonly number[];
}

try {
  mlflow = await startMlflowServer({ home: join(home, 'mlflow'), candidates: [PYTHON], port: 0 });
  const lake = join(home, 'lake');
  const script = join(ROOT, 'bench', 'lakelet_run.ts');
  await measured(process.execPath, [script, values.rows, values.trees, '10', home, lake, mlflow.uri]);
  process.env.LAKE_URI = lake;
  process.env.MLFLOW_TRACKING_URI = mlflow.uri;
  process.env.LOG_LEVEL = 'warn';
  const asked = await records(mlflow.uri);
  const began = performance.now();
  scoring = await startScoring(mlflow.uri);
  const theirStart = performance.now() - began;

  const starts: number[] = [];
  for (let start = 0; start < Number(values.starts); start++) {
    await offline?.stop();
    offline = await startOffline({ port: 0, lambdaPort: 0 });
    starts.push((await timed(() => viaFunction(asked.slice(0, 1)))).ms);
  }
  const ask = { 'function predict': viaFunction, 'POST /predictions': viaHttp, 'mlflow models serve': viaMlflow };
  await sameAnswers(asked.slice(0, BATCH));
  process.stdout.write(`${values.trees} trees of ${values.rows} rows; ${values.requests} requests each\n`);
  for (const size of [1, BATCH]) {
    const times = await inTurns(ask, asked, size);
    const theirs = times.get('mlflow models serve') ?? [];
    for (const [name, ms] of times) {
      const ratio = median(ms) / median(theirs);
      process.stdout.write(
        `${name.padEnd(20)} ${String(size).padStart(4)} records: p50 ${figure(median(ms))} ms, p99 ${figure(percentile(ms, 0.99))} ms, ratio ${ratio.toFixed(2)}\n`,
      );
    }
  }
  process.stdout.write(
    `first answer of a function just started: median ${figure(median(starts))} ms of ${starts.map(figure).join(', ')}; mlflow models serve is up after ${figure(theirStart)} ms\n`,
  );
} finally {
  await offline?.stop();
  await scoring?.stop();
  await mlflow?.stop();
  await rm(home, { recursive: true, force: true });
}

/** Records of all kinds, as both sides take them. */
async function records(trackingUri: string): Promise<Asked[]> {
  const found = await fetchModel({ ...loadConfig().mlflow, trackingUri }, MODEL, 'champion');
  if (found === undefined) throw new Error('The run has left no champion');
  const { features } = fromOnnx(found.onnx);
  return Array.from({ length: 1000 }, (_, at) => {
    const record: Record<string, string | number> = {};
    const row = features.map((feature, place) => {
      if (feature.kind === 'categorical') {
        const code = (at * 7 + place) % feature.categories.length;
        record[feature.name] = feature.categories[code] ?? '';
        return code;
      }
      const value = feature.name === 'income' ? 20_000 + ((at * 977) % 90_000) : 1 + ((at * 13 + place) % 12);
      record[feature.name] = value;
      return value;
    });
    return { record, row };
  });
}

async function startScoring(trackingUri: string): Promise<ServerProcess> {
  const port = await portToUse(0);
  scoringUri = `http://127.0.0.1:${port}/invocations`;
  return startServer({
    name: 'The scoring server',
    failure: 'SCORING_START_FAILED',
    command: PYTHON,
    args: [
      ...['-m', 'mlflow', 'models', 'serve', '--model-uri', `models:/${MODEL}@champion`],
      ...['--env-manager', 'local', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
    ],
    env: {
      ...process.env,
      MLFLOW_TRACKING_URI: trackingUri,
      PATH: `${join(PYTHON, '..')}:${process.env.PATH ?? ''}`,
    },
    cwd: home,
    log: join(home, 'scoring.log'),
    port,
    health: `http://127.0.0.1:${port}/ping`,
  });
}

async function viaFunction(some: readonly Asked[]): Promise<number[]> {
  const [one] = some;
  const uri = `${offline?.settings.AWS_ENDPOINT_URL_LAMBDA}/2015-03-31/functions/lakelet-offline-predict/invocations`;
  const event = some.length === 1 ? { record: one?.record } : { records: some.map(({ record }) => record) };
  const { predictions } = await post<{ predictions: { predicted: number }[] }>(uri, event);
  return predictions.map(({ predicted }) => predicted);
}

async function viaHttp(some: readonly Asked[]): Promise<number[]> {
  const body = { records: some.map(({ record }) => record) };
  return (await post<{ predictions: number[] }>(`${offline?.httpApi}/predictions`, body)).predictions;
}

async function viaMlflow(some: readonly Asked[]): Promise<number[]> {
  const columns = Object.keys(some[0]?.record ?? {});
  const body = { dataframe_split: { columns, data: some.map(({ row }) => row) } };
  const { predictions } = await post<{ predictions: { prediction: number }[] }>(scoringUri, body);
  return predictions.map(({ prediction }) => prediction);
}

async function post<Answer>(uri: string, body: unknown): Promise<Answer> {
  const response = await fetch(uri, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${uri} answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

/** All answer the same, or the times mean nothing. */
async function sameAnswers(some: readonly Asked[]): Promise<void> {
  const [ours, http, theirs] = await Promise.all([viaFunction(some), viaHttp(some), viaMlflow(some)]);
  for (const [at, value] of ours.entries()) {
    const other = theirs[at] ?? Number.NaN;
    if (http[at] !== value || !(Math.abs(value - other) <= 1e-4 * Math.abs(value))) {
      throw new Error(`Record ${at} is ${value} here, ${http[at]} over HTTP and ${other} there`);
    }
  }
}

/** Milliseconds of each request, by whom it was asked of, one after the other in turns. */
async function inTurns(
  ask: Readonly<Record<string, (some: readonly Asked[]) => Promise<number[]>>>,
  asked: readonly Asked[],
  size: number,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(Object.keys(ask).map((name) => [name, []]));
  const warmUp = 30;
  for (let request = -warmUp; request < Number(values.requests); request++) {
    const from = Math.abs(request * 31) % (asked.length - size);
    for (const [name, call] of Object.entries(ask)) {
      const { ms } = await timed(() => call(asked.slice(from, from + size)));
      if (request >= 0) times.get(name)?.push(ms);
    }
  }
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<{ ms: number }> {
  const start = performance.now();
  await work();
  return { ms: performance.now() - start };
}

function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function figure(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}
