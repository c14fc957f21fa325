import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { printable } from '../errors.ts';
import { ALGORITHMS, MOST_SHARDS } from '../pipeline/events.ts';
import { SPLITS } from '../pipeline/held-out.ts';
import type { TaskHandlers } from '../workflow/index.ts';
import { wholeNumber } from './arguments.ts';
import { examples, formatOption, lakeOption, type Outside } from './command.ts';
import { type Format, writeObject } from './output.ts';
import { drawProgress } from './progress-line.ts';
import { RUNNERS, type RunnerName, runOn } from './run-runners.ts';
import { summaryLines } from './run-summary.ts';

interface RunOptions {
  readonly rows?: number;
  readonly seed?: number;
  readonly shards?: number;
  readonly algorithm?: string;
  readonly split?: string;
  readonly trees?: number;
  readonly maxDepth?: number;
  readonly baseline?: boolean;
  readonly runId?: string;
  readonly runner: RunnerName;
  readonly stateMachine?: string;
  readonly stage?: string;
  readonly lake?: string;
  readonly format: Format;
}

/** `lakelet run`: executes the state machine; in this process over handlers that are loaded when they are needed. */
export function runCommand(outside: Outside, loadHandlers: () => Promise<TaskHandlers>): Command {
  return new Command('run')
    .description('carry a delivery of purchases through bronze, silver and gold, and train the model')
    .option('--rows <n>', 'purchases to generate (default: 100000)', wholeNumber(1))
    .option(
      '--seed <n>',
      'what the purchases are made from; the same seed delivers the same (default: 42)',
      wholeNumber(0),
    )
    .option('--shards <n>', 'in how many parts bronze lands them (default: 1)', wholeNumber(1, MOST_SHARDS))
    .addOption(
      new Option(
        '--algorithm <algorithm>',
        'what the model is: a random forest, or boosted trees (default: forest)',
      ).choices(ALGORITHMS),
    )
    .option('--trees <n>', 'trees of the forest, or rounds of boosting (default: 100)', wholeNumber(1))
    .option('--max-depth <n>', 'depth of a tree at most (default: 10)', wholeNumber(1))
    .addOption(
      new Option(
        '--split <split>',
        'which fifth of the rows the model is scored on: by their keys, all rows of some customers, or the latest (default: random)',
      ).choices(SPLITS),
    )
    .option('--baseline', 'train ml-random-forest on a small sample too, for comparison')
    .option('--run-id <id>', 'name the run; one that failed or was stopped goes on when its id comes again')
    .addOption(
      new Option(
        '--runner <runner>',
        'what executes the state machine: this process (embedded), this process with its steps on Lambda, or Step Functions',
      )
        .choices(RUNNERS)
        .default(RUNNERS[0]),
    )
    .option(
      '--state-machine <name>',
      'of --runner stepfunctions: its name or ARN (default: the only one named lakelet-…)',
    )
    .option(
      '--stage <stage>',
      'of --runner lambda: the functions are lakelet-<stage>-bronze and so on (default: offline)',
    )
    .addOption(lakeOption())
    .addOption(formatOption('table', 'json'))
    .addHelpText(
      'after',
      examples(
        'lakelet run',
        'lakelet run --rows 1000000 --seed 7',
        'lakelet run --algorithm boosting --split time',
        'lakelet run --lake /data/lake --format json',
        'lakelet run --runner stepfunctions --shards 8',
      ),
    )
    .action((options: RunOptions, command: Command) => run(outside, loadHandlers, options, command));
}

async function run(
  outside: Outside,
  loadHandlers: () => Promise<TaskHandlers>,
  options: RunOptions,
  command: Command,
): Promise<void> {
  refuseWhatIsIgnored(options, command);
  const input = eventOf(options);
  // Whoever stops the run needs its name to go on with it.
  outside.console.err.write(`run             ${printable(input.runId, 100)}\n`);
  const started = performance.now();
  const stopDrawing = drawProgress(outside.console);
  let done: Awaited<ReturnType<typeof runOn>>;
  try {
    done = await runOn(options.runner, { ...options, input, outside, loadHandlers });
  } finally {
    stopDrawing();
  }
  const milliseconds = performance.now() - started;
  await writeObject(outside.console, options.format, done.output, () =>
    summaryLines(done.output, milliseconds, done.places()),
  );
}

/** An option that the runner would not heed is wrong usage: the lake, for one, is a setting of the process that a step runs in. */
function refuseWhatIsIgnored({ runner, lake, stateMachine, stage }: RunOptions, command: Command): void {
  const ignored = [
    ...(runner !== 'embedded' && lake !== undefined ? ["--lake: the lake is the functions' own LAKE_URI there"] : []),
    ...(runner !== 'stepfunctions' && stateMachine !== undefined ? ['--state-machine'] : []),
    ...(runner !== 'lambda' && stage !== undefined ? ['--stage'] : []),
  ];
  const [first] = ignored;
  if (first !== undefined) command.error(`error: --runner ${runner} takes no ${first}`);
}

/** The execution's input: a name for the run, and the options that were given; the others are the definition's to fill in. */
function eventOf(
  options: RunOptions,
): Readonly<Record<string, string | number | boolean>> & { readonly runId: string } {
  const { rows, seed, shards, algorithm, trees, maxDepth, split, baseline, runId = randomUUID() } = options;
  const given = Object.entries({ rows, seed, shards, algorithm, trees, maxDepth, split, baseline });
  return {
    ...Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    runId,
  };
}
