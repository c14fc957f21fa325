// Whole runs in one process, with tables and models on MinIO, whose MLflow server goes away when the model is trained.

import { START_TIMEOUT } from '../emulator/s3-servers.ts';
import { LIMIT, outputOf, Servers, writes } from './servers.ts';
import { Undisturbed } from './undisturbed.ts';

let servers: Servers;
let undisturbed: Undisturbed;

beforeAll(async () => {
  servers = await Servers.start({ mlflow: true });
  undisturbed = await Undisturbed.make();
}, START_TIMEOUT);

afterAll(async () => {
  await undisturbed?.remove();
  await servers?.stop();
}, 60_000);

function options(runId: string, seed: number): string[] {
  return ['--run-id', runId, '--seed', String(seed), '--rows', '3000', '--trees', '2', '--max-depth', '3'];
}

/** Executes a run during which MLflow goes away when such an object is written, and which must fail for that. */
async function failAt(run: readonly string[], key: string): Promise<string> {
  let stopped: Promise<void> | undefined;
  servers.onceAt(writes(key), () => {
    stopped = servers.stopMlflow();
    return 'pass';
  });
  const { code, out, err } = await servers.command(['run', ...run, '--format', 'json']).ended;
  expect(stopped).toBeDefined();
  await stopped;
  expect({ code, out }).toEqual({ code: 1, out: '' });
  const errors = err.split('\n').filter((line) => line.startsWith('error '));
  expect(errors).toHaveLength(1);
  return errors[0] ?? '';
}

async function recordsOnS3(): Promise<string[]> {
  const keys = await Array.fromAsync(servers.bucket('lake/.lakelet/mlflow/runs/').list(''));
  return keys.map(({ key }) => key);
}

describe('a run whose MLflow server is gone when the model is trained', () => {
  const run = options('down', 1);

  it(
    'fails in one line, with its record kept beside the tables, which a push brings to the server once',
    async () => {
      const line = await failAt(run, 'lake/gold/purchases_by_period/_delta_log/');
      expect(line).toMatch(/^error MLFLOW_UNREACHABLE: .*s3:\/\/lakelet\/lake\/.*`lakelet mlflow push`/);
      expect(await recordsOnS3()).toEqual(['down.json']);

      await servers.startMlflow();
      expect(await servers.lakelet('mlflow', 'push')).toMatchObject({ pushed: { length: 1 }, already: 0, failed: [] });
      expect(await servers.lakelet('mlflow', 'push')).toMatchObject({ pushed: [], already: 1, failed: [] });
      expect(await servers.logged('down')).toEqual({ runs: ['FINISHED'], versions: 1 });
    },
    LIMIT,
  );

  it(
    'is whole after it is executed again, and logged no second time',
    async () => {
      const output = await servers.lakelet('run', ...run);
      expect(output).toMatchObject({ gold: { mlflow: { version: '1', champion: true } } });
      expect(await servers.logged('down')).toEqual({ runs: ['FINISHED'], versions: 1 });
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );
});

describe('a run whose MLflow server dies while it stores the model', () => {
  const run = options('cut', 2);

  it(
    'fails in one line, and is logged once after it is executed again, by two at once',
    async () => {
      expect(await failAt(run, '/model.onnx')).toMatch(/^error MLFLOW_\w+: .*`lakelet mlflow push`/);
      await servers.startMlflow();
      const [first, second] = await Promise.all(
        [1, 2].map(() => outputOf(servers.command(['run', ...run, '--format', 'json']))),
      );
      expect(second).toEqual(first);
      const { runs, versions } = await servers.logged('cut');
      // What was begun and never finished may stay as such.
      expect({ finished: runs.filter((status) => status === 'FINISHED'), versions }).toEqual({
        finished: ['FINISHED'],
        versions: 1,
      });
      expect(runs).not.toContain('RUNNING');
      expect(await servers.lakelet('mlflow', 'push')).toMatchObject({ pushed: [], failed: [] });
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );
});
