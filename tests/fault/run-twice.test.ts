// One run id, executed by several processes: at the same time, and after some of them were killed. RUN_TWICE_SEED and
// RUN_TWICE_ROUNDS make other and longer runs.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { localVersions, recordKeys } from '../../lib/mlflow/index.ts';
import { openStore } from '../../lib/storage/index.ts';
import { Checkout } from '../checkout.ts';
import { startServerDouble } from '../lib/mlflow/server-double.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';

const SEED = Number(process.env.RUN_TWICE_SEED ?? 11);
const ROUNDS = Number(process.env.RUN_TWICE_ROUNDS ?? 4);
const PARAMETERS = ['--rows', '5000', '--shards', '2', '--trees', '2', '--max-depth', '3', '--format', 'json'];
const RUN = ['run', ...PARAMETERS, '--run-id', 'r'];

/** Numbers from 0 up to 1, the same for the same seed. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** What must be the same however often, and by however many, the run was executed. */
async function outcome(checkout: Checkout): Promise<object> {
  const house = new Lakehouse(openStore(checkout.lake));
  const records = openStore(join(checkout.folder, '.lakelet', 'mlflow'));
  const versions = await localVersions(records, 'purchase-amount');
  return {
    contents: await house.contents(),
    runs: await house.query('SELECT run_id, step, status, "table", "rows", rows_good FROM ops.runs ORDER BY ALL'),
    trainings: await recordKeys(records),
    models: versions.map(({ version, runId, champion }) => ({ version, runId, champion })),
  };
}

/** Starts the run in a process of its own. */
function startRun(checkout: Checkout, env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(checkout.folder, 'bin', 'lakelet.ts'), ...RUN], {
    cwd: checkout.folder,
    env: { ...process.env, NODE_OPTIONS: '', LAKE_URI: '', ...env },
    stdio: 'ignore',
  });
}

/** Starts the run and kills it some milliseconds after it has begun to write. */
async function runAndDie(checkout: Checkout, millis: number): Promise<void> {
  const child = startRun(checkout);
  const exited = once(child, 'exit');
  try {
    while (child.exitCode === null && !existsSync(checkout.lake)) await setTimeout(5);
    await setTimeout(millis);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

describe('a run id', () => {
  let checkout: Checkout;
  let expected: object;

  beforeAll(async () => {
    const alone = new Checkout();
    try {
      const ended = await alone.lakelet(RUN);
      expect({ code: ended.code, err: ended.err }).toMatchObject({ code: 0 });
      expected = await outcome(alone);
    } finally {
      alone.remove();
    }
  }, 120_000);
  beforeEach(() => {
    checkout = new Checkout();
  });
  afterEach(() => checkout.remove());

  /** Executes the run in processes at the same time; each ends well, and all tell the same. */
  async function together(processes: number, env: Record<string, string> = {}): Promise<void> {
    const ended = await Promise.all(Array.from({ length: processes }, () => checkout.lakelet(RUN, env)));
    expect(ended.map(({ code, err }) => (code === 0 ? 0 : err))).toEqual(Array(processes).fill(0));
    const [first, ...others] = ended.map(({ out }) => JSON.parse(out));
    expect(first).toMatchObject({ runId: 'r', bronze: { delivered: { rows: 5000, shards: 2 } } });
    for (const other of others) expect(other).toEqual(first);
  }

  it('that three processes execute at the same time has one effect, and they tell the same', async () => {
    await together(3);
    expect(await outcome(checkout)).toEqual(expected);
  }, 240_000);

  const instants = random(SEED);
  it.each(Array.from({ length: ROUNDS }, () => Math.round(instants.next().value * 1500)))(
    'whose process is killed after %d ms of its work has one effect when two execute it again',
    async (millis) => {
      await runAndDie(checkout, millis);
      await together(2);
      expect(await outcome(checkout)).toEqual(expected);
      // Once more, by then all is done.
      const versions = await new Lakehouse(openStore(checkout.lake)).versions();
      await together(1);
      expect(await new Lakehouse(openStore(checkout.lake)).versions()).toEqual(versions);
    },
    240_000,
  );

  it('is logged to an MLflow server once, by three processes at the same time and after one was killed there', async () => {
    const server = await startServerDouble();
    try {
      const env = { MLFLOW_TRACKING_URI: server.uri };
      const child = startRun(checkout, env);
      // It is killed while it logs: the run is there, and its model is not.
      server.fail = (call) => call.startsWith('PUT ') && child.kill('SIGKILL');
      await once(child, 'exit');
      expect(server.runs.map(({ status }) => status)).toEqual(['RUNNING']);
      server.fail = () => false;
      await together(3, env);
      const own = server.runs.filter(({ tags }) => tags.get('lakelet.run_id') === 'r');
      expect(own.map(({ status }) => status).sort()).toEqual(['FAILED', 'FINISHED']);
      expect(server.versions).toHaveLength(1);
    } finally {
      await server.close();
    }
  }, 240_000);
});
