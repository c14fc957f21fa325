// Whole runs as Lambdas on LocalStack, with tables and models on MinIO: Lambdas are killed, servers go away and come back,
// and two executions of one run id meet.

import { START_TIMEOUT } from '../emulator/s3-servers.ts';
import type { Fate } from './s3-proxy.ts';
import { type Command, LIMIT, outputOf, Servers, writes } from './servers.ts';
import { Undisturbed } from './undisturbed.ts';

let servers: Servers;
let undisturbed: Undisturbed;

beforeAll(async () => {
  servers = await Servers.start({ mlflow: true, lambdas: true });
  undisturbed = await Undisturbed.make();
}, START_TIMEOUT);

afterAll(async () => {
  await undisturbed?.remove();
  await servers?.stop();
}, 60_000);

function options(runId: string, seed: number): string[] {
  return ['--run-id', runId, '--seed', String(seed), '--rows', '3000', '--trees', '2', '--max-depth', '3'];
}

function execute(run: readonly string[]): Command {
  return servers.command(['run', '--runner', 'stepfunctions', ...run, '--format', 'json']);
}

const LOGGED = { runs: ['FINISHED'], versions: 1 };

describe('an execution on LocalStack whose Lambda is killed', () => {
  it.each<[string, string, Fate, string]>([
    ['bronze, as its commit takes effect', 'lake/bronze/purchases/_delta_log/', 'cut', 'bronze'],
    ['silver, before its rows are written', 'lake/silver/purchases/part-', 'drop', 'silver'],
    ['gold, between two tables', 'lake/gold/purchases_by_demographics/_delta_log/', 'cut', 'gold'],
    ['gold, while the model is stored', '/model.onnx', 'pass', 'gold'],
  ])(
    'in %s, is tried again and has its effect once',
    async (name, key, fate, step) => {
      const run = options(`killed-${step}-${key.length}`, name.length);
      let killed = 0;
      servers.onceAt(writes(key), () => {
        servers.killLambdas();
        killed++;
        return fate;
      });
      const command = execute(run);
      await outputOf(command);
      expect(killed).toBe(1);
      expect((await command.ended).err).toMatch(
        new RegExp(`^${step} +failed with Runtime\\.ExitError, tried again \\(1\\)`, 'm'),
      );
      const { runs, versions } = await servers.logged(run[1] ?? '');
      expect({ finished: runs.filter((status) => status === 'FINISHED').length, versions }).toEqual({
        finished: 1,
        versions: 1,
      });
      expect(runs).not.toContain('RUNNING');
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );
});

describe('an execution on LocalStack', () => {
  it(
    'goes on when MinIO is killed in the middle, and started again',
    async () => {
      const run = [...options('paused', 5), '--shards', '2'];
      let paused: Promise<void> | undefined;
      servers.onceAt(writes('lake/silver/purchases/_delta_log/'), () => {
        paused = servers.pauseMinio(5000);
        return 'cut';
      });
      await outputOf(execute(run));
      expect(paused).toBeDefined();
      await paused;
      expect(await servers.logged('paused')).toEqual(LOGGED);
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );

  it(
    'fails with one clear line where MLflow is down, and is whole and logged once when it is executed again',
    async () => {
      const run = options('down', 6);
      await servers.stopMlflow();
      const { code, out, err } = await execute(run).ended;
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err.match(/^error .*/gm)).toEqual([
        expect.stringMatching(/^error MLFLOW_UNREACHABLE: .*s3:\/\/lakelet\/lake\/.*`lakelet mlflow push`/),
      ]);
      await servers.startMlflow();
      expect(await servers.lakelet('mlflow', 'push')).toMatchObject({ pushed: { length: 1 }, failed: [] });
      expect(await servers.logged('down')).toEqual(LOGGED);
      await outputOf(execute(run));
      expect(await servers.logged('down')).toEqual(LOGGED);
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );

  it(
    'that meets another of the same run id has one effect with it',
    async () => {
      const run = [...options('twice', 7), '--shards', '2'];
      const [first, second] = await Promise.all([outputOf(execute(run)), outputOf(execute(run))]);
      expect(second).toEqual(first);
      expect(await servers.logged('twice')).toEqual(LOGGED);
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );
});
