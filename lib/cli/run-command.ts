import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { LakeletError, printable } from '../errors.ts';
import { MOST_SHARDS } from '../pipeline/events.ts';
import { startEmbedded, type TaskHandlers } from '../workflow/index.ts';
import { wholeNumber } from './arguments.ts';
import { examples, formatOption, lakeOption, type Outside } from './command.ts';
import { type Format, writeObject } from './output.ts';
import { drawProgress } from './progress-line.ts';
import { summaryLines } from './run-summary.ts';

interface RunOptions {
  readonly rows?: number;
  readonly seed?: number;
  readonly shards?: number;
  readonly trees?: number;
  readonly maxDepth?: number;
  readonly baseline?: boolean;
  readonly runId?: string;
  readonly lake?: string;
  readonly format: Format;
}

/** `lakelet run`: executes the state machine in this process, over handlers that are loaded when they are needed. */
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
    .option('--trees <n>', 'trees of the forest (default: 100)', wholeNumber(1))
    .option('--max-depth <n>', 'depth of a tree at most (default: 10)', wholeNumber(1))
    .option('--baseline', 'train ml-random-forest on a small sample too, for comparison')
    .option('--run-id <id>', 'name the run; one that failed or was stopped goes on when its id comes again')
    .addOption(
      new Option('--runner <runner>', 'what executes the state machine').choices(['embedded']).default('embedded'),
    )
    .addOption(lakeOption())
    .addOption(formatOption('table', 'json'))
    .addHelpText(
      'after',
      examples('lakelet run', 'lakelet run --rows 1000000 --seed 7', 'lakelet run --lake /data/lake --format json'),
    )
    .action((options: RunOptions) => run(outside, loadHandlers, options));
}

async function run(outside: Outside, loadHandlers: () => Promise<TaskHandlers>, options: RunOptions): Promise<void> {
  const { format, lake, ...input } = options;
  // The handlers read the lake from the environment, as they do in a Lambda.
  if (lake !== undefined) process.env.LAKE_URI = /^[a-z][a-z0-9+.-]+:\/\//i.test(lake) ? lake : resolve(lake);
  const started = performance.now();
  const stopDrawing = drawProgress(outside.console);
  let output: unknown;
  try {
    output = await execute(eventOf(input), await loadHandlers(), outside.signal);
  } finally {
    stopDrawing();
  }
  const milliseconds = performance.now() - started;
  await writeObject(outside.console, format, output, () =>
    summaryLines(output, { milliseconds, config: outside.config(), lake }),
  );
}

/** The execution's input: the options that were given, the others are the definition's to fill in. */
function eventOf(options: Omit<RunOptions, 'format' | 'lake'>): Record<string, string | number | boolean> {
  const { rows, seed, shards, trees, maxDepth, baseline, runId } = options;
  const given = Object.entries({ rows, seed, shards, trees, maxDepth, baseline, runId });
  return Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function execute(input: unknown, handlers: TaskHandlers, signal: AbortSignal): Promise<unknown> {
  const result = await startEmbedded(input, handlers, { signal });
  switch (result.status) {
    case 'SUCCEEDED':
      return result.output;
    case 'ABORTED':
      throw new LakeletError(
        'INTERRUPTED',
        'The run was stopped before its end; what it committed stays, and the next run goes on from there',
      );
    case 'FAILED':
      if (result.thrown instanceof LakeletError) throw result.thrown;
      throw new LakeletError(
        'RUN_FAILED',
        `The run failed with ${printable(result.error)}: ${printable(result.cause)}; the logs tell more`,
        {
          cause: result.thrown,
        },
      );
  }
}
