#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { doctorCommand } from '../lib/cli/doctor-command.ts';
import { main } from '../lib/cli/main.ts';
import { mlflowCommand } from '../lib/cli/mlflow-command.ts';
import { predictCommand } from '../lib/cli/predict-command.ts';
import { queryCommand } from '../lib/cli/query-command.ts';
import { reportCommand } from '../lib/cli/report-command.ts';
import { runCommand } from '../lib/cli/run-command.ts';
import { tableCommand } from '../lib/cli/table-command.ts';
import { trainCommand } from '../lib/cli/train-command.ts';
import { shippedFile } from '../lib/files.ts';
import { quietStandardError } from '../lib/logger.ts';
import type { TaskHandlers } from '../lib/workflow/index.ts';

if (Number.parseInt(process.versions.node, 10) < 22) {
  process.stderr.write(
    `error NODE_TOO_OLD: lakelet needs Node 22 or newer, and this is Node ${process.versions.node}: install a newer one, or bring one into this project (npm install node@24)\n`,
  );
  process.exit(1);
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
// The reader of the output may leave early (| head): writes then fail with EPIPE, which the command line takes as its end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(
    `error OUTPUT_FAILED: standard output can't be written: ${error.message}; check where it goes\n`,
  );
  process.exit(1);
});

const { version = '0' }: { version?: string } = JSON.parse(readFileSync(shippedFile('package.json'), 'utf8'));
// What goes wrong is said in one line; the log of a local run has the rest. Who sets LOG_LEVEL wants to see it all.
if (process.env.LOG_LEVEL === undefined) quietStandardError('silent');

/** The steps, in this process; loaded when a run needs them, since the other commands do not. */
async function loadHandlers(): Promise<TaskHandlers> {
  const [{ bronze }, { silver }, { gold }, recordFailure] = await Promise.all([
    import('../functions/bronze.ts'),
    import('../functions/silver.ts'),
    import('../functions/gold.ts'),
    import('../functions/record-failure.ts'),
  ]);
  const { signal } = stop;
  return { Bronze: bronze(signal), Silver: silver(signal), Gold: gold(signal), RecordFailure: recordFailure.handler };
}

process.exitCode = await main(
  process.argv.slice(2),
  (program, outside, exit) => {
    program.addCommand(runCommand(outside, loadHandlers));
    program.addCommand(queryCommand(outside));
    program.addCommand(tableCommand(outside));
    program.addCommand(trainCommand(outside));
    program.addCommand(predictCommand(outside));
    program.addCommand(mlflowCommand(outside, exit));
    program.addCommand(reportCommand(outside));
    program.addCommand(doctorCommand(outside, exit));
  },
  {
    console: { out: process.stdout, err: process.stderr, live: process.stderr.isTTY === true },
    signal: stop.signal,
    version,
  },
);
