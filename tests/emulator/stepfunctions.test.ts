// The state machine on the real LocalStack, started by `lakelet run`; the same rows come of it as of a run in process.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { openStore } from '../../lib/storage/index.ts';
import type { S3Connection } from '../../lib/storage/s3-client.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { makeBuckets } from '../../localstack/buckets.ts';
import { deploy } from '../../localstack/deploy.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';
import type { Ended } from '../checkout.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';
import { connectWith, environment, START_TIMEOUT } from './s3-servers.ts';

const LIMIT = 280_000;
const SMALL = ['--rows', '5000', '--trees', '2', '--max-depth', '3', '--format', 'json'];
const bin = join(import.meta.dirname, '..', '..', 'bin', 'lakelet.ts');

let home: string;
let localstack: RunningServer | undefined;
let connection: S3Connection;
let lake: Lakehouse;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakelet-stepfunctions-'));
  localstack = await startLocalStack({ home: join(home, 'localstack') });
  await makeBuckets(localstack.settings, ['lakelet']);
  await deploy({ settings: localstack.settings, say: () => undefined });
  connection = await connectWith(localstack.settings);
  lake = new Lakehouse(new S3Store({ bucket: 'lakelet', prefix: 'lake/' }, () => Promise.resolve(connection)));
}, START_TIMEOUT);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  connection?.client.destroy();
  await localstack?.stop();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once standard error matches, to what the first group matched. */
  said(text: RegExp): Promise<string>;
}

/** Starts `lakelet …` against LocalStack. */
function start(argv: readonly string[], settings: Readonly<Record<string, string>> = {}): Command {
  const child = spawn(process.execPath, [bin, ...argv], {
    cwd: home,
    env: { ...environment(localstack?.settings ?? {}), NODE_OPTIONS: '', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  });
  children.add(child);
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
  const said = async (text: RegExp): Promise<string> => {
    for (;;) {
      const match = text.exec(err);
      if (match !== null) return match[1] ?? '';
      if (child.exitCode !== null) throw new Error(`it ended and said: ${err}`);
      await setTimeout(20);
    }
  };
  return { child, ended, said };
}

function onStepFunctions(...argv: string[]): Command {
  return start(['run', '--runner', 'stepfunctions', ...SMALL, ...argv]);
}

/** The output of a run that must have succeeded. */
async function outputOf({ ended }: Command): Promise<Record<string, unknown>> {
  const { code, out, err } = await ended;
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

/** What ops/runs has of a run. */
function runsOf(runId: string): Promise<unknown[]> {
  return lake.query(`SELECT step, "table", status, error_code FROM ops.runs WHERE run_id = '${runId}' ORDER BY ALL`);
}

function client(): SFNClient {
  return new SFNClient({
    endpoint: localstack?.settings.AWS_ENDPOINT_URL ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'lakelet', secretAccessKey: 'lakelet-secret' },
  });
}

/** Waits until a Lambda has been working for an execution for a moment. */
async function untilRunning(executionArn: string): Promise<void> {
  for (let running = false; !running; ) {
    const { events = [] } = await client().send(new GetExecutionHistoryCommand({ executionArn }));
    running = events.some(({ type }) => type === 'TaskStarted');
  }
  await setTimeout(500);
}

/** The processes of Lambdas that LocalStack has now. */
function lambdas(): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, args = ''] = /^ *(\d+) +(\d+) +(.*)$/.exec(line) ?? [];
    return Number(parent) === localstack?.pid && args.includes('bootstrap.mjs') ? [Number(pid)] : [];
  });
}

it(
  'lands shards each by a Lambda of its own, and makes the rows that a run in process makes',
  async () => {
    const command = onStepFunctions('--run-id', 'same', '--shards', '3');
    const output = await outputOf(command);
    expect(output).toMatchObject({
      runId: 'same',
      bronze: { tables: [{ rows: 5000, files: 3, version: 4 }], delivered: { rows: 5000, shards: 3 } },
    });
    expect((await command.ended).err).toMatch(
      /^run +same\nexecution +arn:.*\nbronze\/shards .*\nbronze .*\nsilver .*\ngold /,
    );

    const folder = join(home, 'embedded');
    await outputOf(start(['run', ...SMALL, '--run-id', 'same', '--shards', '2', '--lake', folder]));
    const embedded = new Lakehouse(openStore(folder));
    expect(await lake.contents()).toEqual(await embedded.contents());
  },
  LIMIT,
);

it(
  'executed twice at once under one run id has one effect',
  async () => {
    const argv = ['--run-id', 'twice', '--seed', '7', '--shards', '2'];
    const [first, second] = await Promise.all([onStepFunctions(...argv), onStepFunctions(...argv)].map(outputOf));
    expect(second).toEqual(first);
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM bronze.purchases WHERE run_id = 'twice'")).toEqual([
      { n: 5000 },
    ]);
    expect(await runsOf('twice')).toHaveLength(7);
  },
  LIMIT,
);

it(
  'goes on when a Lambda is killed in the middle',
  async () => {
    const argv = ['--rows', '400000', '--run-id', 'killed', '--seed', '8'];
    const command = onStepFunctions(...argv);
    const executionArn = await command.said(/^execution +(\S+)$/m);
    await untilRunning(executionArn);
    // A process that waits for work may be there, too; the one that works is killed with it.
    for (const pid of lambdas()) process.kill(pid, 'SIGKILL');
    await outputOf(command);
    expect((await command.ended).err).toMatch(/failed with Runtime\.ExitError, tried again \(1\)/);
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM bronze.purchases WHERE run_id = 'killed'")).toEqual([
      { n: 400_000 },
    ]);
    expect(await runsOf('killed')).toHaveLength(7);
  },
  LIMIT,
);

it(
  'ends with the real error of a shard, which a distributed map hides, and notes it',
  async () => {
    await outputOf(onStepFunctions('--run-id', 'reused', '--seed', '9', '--shards', '2'));
    const { code, out, err } = await onStepFunctions('--run-id', 'reused', '--seed', '9', '--shards', '3').ended;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/^error RUN_ID_REUSED: .*shards was 2, now 3/);
    expect(await runsOf('reused')).toContainEqual({
      step: 'bronze',
      table: null,
      status: 'failed',
      error_code: 'RUN_ID_REUSED',
    });
  },
  LIMIT,
);

it.each(['[1]', 'null', '"rows"', '{"shards":2.5}', '{"shards":1e300}', '{"runId":{"a":1}}'])(
  'refuses the input %s by an error of its own, and notes it',
  async (input) => {
    const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:lakelet-local';
    const failures = "SELECT count(*)::INTEGER AS n FROM ops.runs WHERE error_code = 'EVENT_INVALID'";
    const noted = async () => (await lake.query(failures))[0]?.n ?? 0;
    const before = await noted();
    const { executionArn } = await client().send(new StartExecutionCommand({ stateMachineArn, input }));
    let told: DescribeExecutionCommandOutput;
    do {
      await setTimeout(100);
      told = await client().send(new DescribeExecutionCommand({ executionArn }));
    } while (told.status === 'RUNNING');
    expect(told).toMatchObject({ status: 'FAILED', error: 'Lakelet.EVENT_INVALID' });
    expect(await noted()).toBe(Number(before) + 1);
  },
  LIMIT,
);

it(
  'is stopped with its command',
  async () => {
    const command = onStepFunctions('--run-id', 'stopped', '--rows', '400000');
    const executionArn = await command.said(/^execution +(\S+)$/m);
    // In the middle of bronze: LocalStack stumbles over a stop between two states, and calls that a failure.
    await untilRunning(executionArn);
    command.child.kill('SIGINT');
    const { code, err } = await command.ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^error INTERRUPTED: /m);
    // LocalStack has taken the word, and stops soon.
    let status: string | undefined = 'RUNNING';
    while (status === 'RUNNING') {
      ({ status } = await client().send(new DescribeExecutionCommand({ executionArn })));
    }
    expect(status).toBe('ABORTED');
  },
  LIMIT,
);

it(
  'runs in process with its steps on Lambda',
  async () => {
    const output = await outputOf(
      start(['run', '--runner', 'lambda', '--stage', 'local', ...SMALL, '--run-id', 'lambda', '--shards', '2']),
    );
    expect(output).toMatchObject({ runId: 'lambda', bronze: { delivered: { rows: 5000, shards: 2 } } });
    const { code, err } = await start(['run', '--runner', 'lambda', '--stage', 'nowhere']).ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^error FUNCTION_NOT_FOUND: .*lakelet-nowhere-bronze/m);
  },
  LIMIT,
);
