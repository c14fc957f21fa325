// A run is killed while it trains, and at the calls by which it logs to a real MLflow server, and executed again.
// TRAINING_KILL=all tries every call, until a run needs no more of them; TRAINING_KILL_SEED and TRAINING_KILL_ROUNDS choose others.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { interpreterOf, type RunningServer, startMlflowServer } from '../../lib/mlflow/index.ts';
import { openStore } from '../../lib/storage/index.ts';
import { Checkout, type Ended } from '../checkout.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';
import { type Fate, type S3Proxy, seeded, startProxy } from './s3-proxy.ts';

const ALL = process.env.TRAINING_KILL === 'all';
const SEED = Number(process.env.TRAINING_KILL_SEED ?? 5);
const ROUNDS = Number(process.env.TRAINING_KILL_ROUNDS ?? 3);
const LIMIT = ALL ? 3_600_000 : 240_000;
/** What an HTTP proxy does to the call at which the client dies: the server never gets it, or does and can't tell. */
const FATES: readonly Fate[] = ['drop', 'cut'];

let checkout: Checkout;
let server: RunningServer;
let proxy: S3Proxy;

beforeAll(async () => {
  checkout = new Checkout();
  const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));
  server = await startMlflowServer({ home: join(checkout.folder, 'server'), candidates: [python], port: 0 });
  proxy = await startProxy(server.uri.replace('localhost', '127.0.0.1'));
}, 180_000);

afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
  checkout.remove();
}, 30_000);

function run(runId: string, trees: number): string[] {
  return ['run', '--run-id', runId, '--rows', '600', '--trees', String(trees), '--max-depth', '3', '--format', 'json'];
}

/** Starts a run; it is not waited for. */
function start(argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(checkout.folder, 'bin', 'lakelet.ts'), ...argv], {
    cwd: checkout.folder,
    env: { ...process.env, NODE_OPTIONS: '', LAKE_URI: '', MLFLOW_TRACKING_URI: proxy.url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Executes a run in peace, which must succeed. */
async function finish(argv: readonly string[]): Promise<Record<string, { mlflow?: { champion: boolean } }>> {
  proxy.decide = () => 'pass';
  const { code, out, err }: Ended = await checkout.lakelet(argv, { MLFLOW_TRACKING_URI: proxy.url });
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

/** Kills a run at its call number `at` to the server; false where it ended before. */
async function killAtCall(argv: readonly string[], at: number, fate: Fate): Promise<boolean> {
  let calls = 0;
  let killed = false;
  const child = start(argv);
  const ended = once(child, 'exit');
  proxy.decide = () => {
    if (++calls < at) return 'pass';
    killed = child.kill('SIGKILL') || killed;
    return calls === at ? fate : 'drop';
  };
  await ended;
  await proxy.settled();
  return killed;
}

async function ask<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${server.uri}/api/2.0/mlflow/${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  });
  expect({ path, status: response.status }).toEqual({ path, status: 200 });
  return (await response.json()) as T;
}

interface RunInfo {
  readonly info: { readonly run_id: string; readonly status: string };
  readonly data: { readonly tags?: readonly { readonly key: string; readonly value: string }[] };
}

/** Holds the server to one finished run of this id, all others of it failed, and one model version, of the finished run. */
async function expectLoggedOnce(runId: string): Promise<void> {
  const { experiments } = await ask<{ experiments: { experiment_id: string }[] }>('experiments/search', {
    max_results: 100,
  });
  const { runs = [] } = await ask<{ runs?: RunInfo[] }>('runs/search', {
    experiment_ids: experiments.map((one) => one.experiment_id),
    filter: `tags.\`lakelet.run_id\` = '${runId}'`,
    max_results: 1000,
  });
  const parents = runs.filter(({ data: { tags = [] } }) => !tags.some(({ key }) => key === 'mlflow.parentRunId'));
  const finished = parents.filter(({ info }) => info.status === 'FINISHED').map(({ info }) => info.run_id);
  expect({ runId, finished: finished.length }).toEqual({ runId, finished: 1 });
  expect({ runId, statuses: runs.map(({ info }) => info.status) }).not.toMatchObject({
    statuses: expect.arrayContaining(['RUNNING']),
  });
  const { model_versions: versions = [] } = await ask<{ model_versions?: { run_id: string; tags?: unknown[] }[] }>(
    `model-versions/search?${new URLSearchParams({ filter: "name = 'purchase-amount'", max_results: '1000' })}`,
  );
  const own = versions.filter(({ tags = [] }) => JSON.stringify(tags).includes(JSON.stringify(runId)));
  expect({ runId, versions: own.map(({ run_id }) => run_id) }).toEqual({ runId, versions: finished });
}

/** Holds the registry to one champion, of a finished run. */
async function expectChampion(): Promise<void> {
  const { model_version: champion } = await ask<{ model_version: { run_id: string } }>(
    'registered-models/alias?name=purchase-amount&alias=champion',
  );
  const { run } = await ask<{ run: RunInfo }>(`runs/get?run_id=${champion.run_id}`);
  expect(run.info.status).toBe('FINISHED');
}

/** Holds the lake to one account of each step of a run. */
async function expectDoneOnce(runId: string): Promise<void> {
  const steps = await new Lakehouse(openStore(checkout.lake)).query(
    `SELECT step, count(DISTINCT ended_at) AS n FROM ops.runs WHERE run_id = '${runId}' AND status = 'succeeded' GROUP BY step ORDER BY step`,
  );
  expect(steps.map(({ step, n }) => [step, Number(n)])).toEqual([
    ['bronze', 1],
    ['gold', 1],
    ['silver', 1],
  ]);
}

describe('a run that is killed while it logs its training', () => {
  it(
    `is logged once when it is executed again (seed ${SEED}, ${ALL ? 'every call' : `${ROUNDS} calls`})`,
    async () => {
      const before = proxy.seen.length;
      await finish(run('peace', 2));
      const calls = proxy.seen.length - before;
      expect(calls).toBeGreaterThan(10);
      const random = seeded(SEED);
      const chosen = ALL
        ? FATES.flatMap((fate) => Array.from({ length: calls + 40 }, (_, at) => [at + 1, fate] as const))
        : Array.from(
            { length: ROUNDS },
            (_, round) => [1 + Math.floor(random() * calls), FATES[round % FATES.length] ?? 'drop'] as const,
          );
      const tried: string[] = [];
      let over: Fate | undefined;
      for (const [at, fate] of chosen) {
        if (fate === over) continue;
        const argv = run(`at-${at}-${String(fate)}`, 2);
        if (!(await killAtCall(argv, at, fate))) over = fate;
        await finish(argv);
        tried.push(`${at} ${String(fate)}`);
        await expectLoggedOnce(`at-${at}-${String(fate)}`);
        await expectDoneOnce(`at-${at}-${String(fate)}`);
        await expectChampion();
      }
      process.stderr.write(`killed at calls: ${tried.join(', ')} (seed ${SEED}; a run in peace makes ${calls})\n`);
      if (ALL) expect(over).toBe(FATES.at(-1));
    },
    LIMIT,
  );
});

describe('a run that is killed while it trains', () => {
  it(
    'leaves nothing with the server, and is logged once when it is executed again',
    async () => {
      // More trees than can be grown before the signal comes.
      const argv = run('training', 5000);
      proxy.decide = () => 'pass';
      const child = start(argv);
      const ended = once(child, 'exit');
      const lines: Interface = createInterface({ input: child.stderr ?? process.stdin });
      let growing = false;
      for await (const line of lines) {
        if (!/growing trees|gold\/train/.test(line)) continue;
        growing = true;
        child.kill('SIGKILL');
        break;
      }
      expect(await ended).toEqual([null, 'SIGKILL']);
      expect(growing).toBe(true);
      await finish(argv);
      await expectLoggedOnce('training');
      await expectDoneOnce('training');
    },
    LIMIT,
  );
});
