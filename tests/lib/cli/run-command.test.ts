import { Writable } from 'node:stream';
import { main } from '../../../lib/cli/main.ts';
import { runCommand } from '../../../lib/cli/run-command.ts';
import { LakeletError } from '../../../lib/errors.ts';
import { progress } from '../../../lib/progress.ts';
import type { TaskHandlers } from '../../../lib/workflow/index.ts';
import { startStepFunctionsDouble } from '../workflow/step-functions-double.ts';

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

const events: unknown[] = [];
const SUMMARY = {
  tables: [{ table: 'silver/purchases', rows: 95, files: 1, version: 3 }],
  accounting: { run: { in: 100, good: 95, quarantined: 3, duplicates: 2 } },
};

function handlers(silver: TaskHandlers['Silver'] = async () => SUMMARY): TaskHandlers {
  return {
    Bronze: async (event) => {
      events.push(event);
      progress({ step: 'bronze', rows: 100, done: true });
      return { tables: [{ table: 'bronze/purchases', rows: 100, files: 1, version: 1 }] };
    },
    Silver: silver,
    Gold: async () => ({
      model: { r2: 0.8612, mae: 12.5 },
      importances: [{ name: 'age', importance: 0.0604554254578289 }],
    }),
    RecordFailure: async () => ({}),
  };
}

async function lakelet(argv: readonly string[], tasks: TaskHandlers, signal = new AbortController().signal) {
  const out = new Kept();
  const err = new Kept();
  const code = await main(argv, (program, outside) => void program.addCommand(runCommand(outside, async () => tasks)), {
    console: { out, err, live: false },
    signal,
    version: '1',
    env: { LOG_LEVEL: 'silent' },
  });
  return { code, out: out.text, err: err.text };
}

describe('lakelet run', () => {
  it("hands the options on as the execution's input and prints its output as one JSON object", async () => {
    events.length = 0;
    const argv = [
      'run',
      '--rows',
      '100',
      '--seed',
      '7',
      '--trees',
      '3',
      '--max-depth',
      '4',
      '--baseline',
      '--algorithm',
      'boosting',
      '--split',
      'time',
      '--run-id',
      'r1',
      '--format',
      'json',
    ];
    const { code, out, err } = await lakelet(argv, handlers());
    expect(code).toBe(0);
    expect(events).toEqual([
      {
        runId: 'r1',
        rows: 100,
        seed: 7,
        shards: 1,
        trees: 3,
        maxDepth: 4,
        baseline: true,
        algorithm: 'boosting',
        split: 'time',
      },
    ]);
    expect(JSON.parse(out)).toMatchObject({ runId: 'r1', silver: SUMMARY, gold: { model: { r2: 0.8612 } } });
    expect(out.trimEnd()).not.toContain('\n');
    expect(err).toMatch(/^run +r1\nbronze .*100 rows/);
  });

  it('tells a person tables, accounting, metrics, places and what to try next', async () => {
    const { code, out } = await lakelet(['run', '--run-id', 'r1'], handlers());
    expect(code).toBe(0);
    expect(out).toMatch(/^Run r1 is done in \d+\.\d\d s$/m);
    expect(out).toMatch(/^silver\/purchases {2} +95 {2} +1 {2} +3$/m);
    expect(out).toMatch(/^silver accounting run +in 100, good 95, quarantined 3, duplicates 2$/m);
    expect(out).toMatch(/^ {2}age +0\.06046$/m);
    expect(out).toMatch(/^gold model +r2 0\.8612, mae 12\.50$/m);
    expect(out).toMatch(/^logs +\//m);
    expect(out).toContain('npm run -s lakelet -- query "SELECT');
  });

  it("fails with the step's own error in one line, and exit code 1", async () => {
    const { code, out, err } = await lakelet(
      ['run'],
      handlers(async () => {
        throw new LakeletError('STORE_FULL', 'The disk is full; free some space');
      }),
    );
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n').at(-1)).toBe('error STORE_FULL: The disk is full; free some space');
  });

  it('says when it was stopped', async () => {
    const { code, err } = await lakelet(['run'], handlers(), AbortSignal.abort());
    expect(code).toBe(1);
    expect(err).toMatch(/^error INTERRUPTED: /m);
  });

  it('runs on Step Functions: tells where, what each step did, and the output as JSON', async () => {
    const double = await startStepFunctionsDouble();
    const env = { AWS_ENDPOINT_URL: double.uri, AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
    Object.assign(process.env, env);
    try {
      double.script.push([
        { type: 'ExecutionStarted', previousEventId: 0 },
        { type: 'TaskStateEntered', previousEventId: 1, stateEnteredEventDetails: { name: 'Silver' } },
        { type: 'TaskFailed', previousEventId: 2, taskFailedEventDetails: { error: 'Lakelet.Retryable' } },
        { type: 'TaskScheduled', previousEventId: 3 },
        { type: 'TaskStateExited', previousEventId: 4, stateExitedEventDetails: { name: 'Silver' } },
        {
          type: 'ExecutionSucceeded',
          previousEventId: 5,
          executionSucceededEventDetails: { output: JSON.stringify({ runId: 'r', silver: SUMMARY }) },
        },
      ]);
      const argv = ['run', '--runner', 'stepfunctions', '--rows', '5', '--shards', '3', '--format', 'json'];
      const { code, out, err } = await lakelet(argv, handlers());
      expect({ code, output: JSON.parse(out) }).toEqual({ code: 0, output: { runId: 'r', silver: SUMMARY } });
      expect(err.split('\n')).toEqual([
        expect.stringMatching(/^run +[0-9a-f-]{36}$/),
        expect.stringMatching(/^execution +arn:aws:states:.*:execution:lakelet-test:[0-9a-f-]+$/),
        'silver          failed with Lakelet.Retryable, tried again (1)  2.00 s',
        'silver          done  1.00 s',
        '',
      ]);
      const { body } = double.calls.find(({ call }) => call === 'StartExecution') ?? {};
      expect(JSON.parse(String(body?.input))).toEqual({ rows: 5, shards: 3, runId: expect.any(String) });
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
      await double.close();
    }
  });

  it.each([
    ['stepfunctions', '--lake', 'elsewhere'],
    ['lambda', '--lake', 'elsewhere'],
    ['stepfunctions', '--stage', 'prod'],
    ['embedded', '--state-machine', 'lakelet-prod'],
  ])('refuses for the runner %s what it would not heed: %s', async (runner, ...option) => {
    const { code, out, err } = await lakelet(['run', '--runner', runner, ...option], handlers());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(new RegExp(`^error USAGE: --runner ${runner} takes no ${option[0]}[^\n]*\n$`));
  });

  it.each([
    ['--rows', '-1'],
    ['--rows', '0'],
    ['--trees', 'many'],
    ['--shards', '1001'],
    ['--runner', 'mainframe'],
    ['--colour', 'red'],
  ])('takes %s %s for wrong usage', async (...options) => {
    expect((await lakelet(['run', ...options], handlers())).code).toBe(2);
  });
});
