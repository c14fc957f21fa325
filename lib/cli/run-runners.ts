import { resolve } from 'node:path';
import { printable } from '../errors.ts';
import { openStore } from '../storage/index.ts';
import {
  type ExecutionResult,
  failureOf,
  lambdaHandlers,
  startEmbedded,
  startStepFunctions,
  type TaskHandlers,
} from '../workflow/index.ts';
import { lakeOf, type Outside } from './command.ts';
import { StateProgress } from './run-progress.ts';
import { localPlaces } from './run-summary.ts';

/** What may execute the state machine; the first is the default. */
export const RUNNERS = ['embedded', 'lambda', 'stepfunctions'] as const;

/** One of {@link RUNNERS}. */
export type RunnerName = (typeof RUNNERS)[number];

/** What a runner is told. */
export interface RunnerOptions {
  /** The execution's input. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly outside: Outside;
  readonly loadHandlers: () => Promise<TaskHandlers>;
  readonly lake?: string;
  readonly stateMachine?: string;
  readonly stage?: string;
}

/** A run that succeeded. */
export interface Done {
  readonly output: unknown;
  /** The lines that tell a person where to look. */
  readonly places: () => readonly string[];
}

/** Executes the state machine. Throws the run's own error where it fails, whatever it ran on. */
export function runOn(runner: RunnerName, options: RunnerOptions): Promise<Done> {
  switch (runner) {
    case 'embedded':
      return runEmbedded(options);
    case 'lambda':
      return runLambda(options);
    case 'stepfunctions':
      return runStepFunctions(options);
  }
}

async function runEmbedded({ input, outside, loadHandlers, lake }: RunnerOptions): Promise<Done> {
  // The handlers read the lake from the environment, as they do in a Lambda.
  if (lake !== undefined) process.env.LAKE_URI = /^[a-z][a-z0-9+.-]+:\/\//i.test(lake) ? lake : resolve(lake);
  await reach(lakeOf(outside, lake));
  const result = await startEmbedded(input, await loadHandlers(), { signal: outside.signal });
  return { output: outputOf(result), places: () => localPlaces(outside.config(), lake) };
}

/** A bucket that was never reached is rather wrongly addressed than away for a moment, for which each step would wait. */
async function reach(lakeUri: string): Promise<void> {
  const lake = openStore(lakeUri);
  if (lake.uri.startsWith('s3://')) await lake.head('ops/runs');
}

async function runLambda({ input, outside, stage = 'offline' }: RunnerOptions): Promise<Done> {
  const { signal } = outside;
  const { handlers, close } = await lambdaHandlers(stage, signal);
  const states = new StateProgress(outside.console);
  try {
    const result = await startEmbedded(input, handlers, { signal, onState: states.tell });
    const functions = `lakelet-${stage}-bronze, -silver, -gold`;
    return { output: outputOf(result, functions), places: () => [`functions  ${printable(functions, 200)}`] };
  } finally {
    states.close();
    close();
  }
}

async function runStepFunctions({ input, outside, stateMachine }: RunnerOptions): Promise<Done> {
  const states = new StateProgress(outside.console);
  let execution = '';
  try {
    const result = await startStepFunctions(input, {
      signal: outside.signal,
      onState: states.tell,
      onStart: (arn) => {
        execution = arn;
        outside.console.err.write(`execution       ${printable(arn, 300)}\n`);
      },
      onTrouble: ({ message }) => outside.console.err.write(`trying again    ${message}\n`),
      ...(stateMachine !== undefined && { stateMachine }),
    });
    return { output: outputOf(result, execution), places: () => [`execution  ${printable(execution, 300)}`] };
  } finally {
    states.close();
  }
}

function outputOf(result: ExecutionResult, place?: string): unknown {
  if (result.status !== 'SUCCEEDED') throw failureOf(result, place);
  return result.output;
}
