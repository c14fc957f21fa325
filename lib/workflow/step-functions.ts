import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { LakeletError, printable } from '../errors.ts';
import { awsError } from './aws-error.ts';
import type { ExecutionResult, StateChange } from './execution.ts';
import { History, type HistoryNews } from './history.ts';
import { connectStepFunctions, findStateMachine, type StepFunctions } from './step-functions-client.ts';

/** Milliseconds between two looks at an execution: soon at first and after news, then ever longer. */
const SOONEST = 250;
const LATEST = 2_000;

/** For how long, in milliseconds, an execution that can't be looked at is looked at again. */
const PATIENCE = 120_000;

/** Events a page; an execution has 25,000 at most. */
const PAGE = 200;

/** How {@link startStepFunctions} finds its state machine, is watched and stopped. */
export interface StepFunctionsOptions {
  /** The state machine's ARN or name; absent: the only one whose name begins with `lakelet-`. */
  readonly stateMachine?: string;
  /** Stops the execution; a Lambda that is running goes on to its own end. */
  readonly signal?: AbortSignal;
  /** Called for every change of a state, in order. */
  readonly onState?: (change: StateChange) => void;
  /** Called once, when the execution has its ARN. */
  readonly onStart?: (executionArn: string) => void;
  /** Called once for each stretch of time in which the execution can't be looked at, with the reason. */
  readonly onTrouble?: (failure: LakeletError) => void;
}

/**
 * Starts an execution on Step Functions (AWS, or an emulator by `AWS_ENDPOINT_URL`), follows its history, and ends as it
 * ends. Each execution has a name of its own, so that the same input may be executed again.
 *
 * @param input the execution's input, a JSON object
 * @throws LakeletError `STATE_MACHINE_NOT_FOUND`, `STATE_MACHINE_AMBIGUOUS`, `ACCESS_DENIED`, `THROTTLED`,
 *   `AWS_UNREACHABLE`, `AWS_FAILED`, `AWS_REFUSED`; a failed step is a result, not an error
 */
export async function startStepFunctions(
  input: Readonly<Record<string, unknown>>,
  options: StepFunctionsOptions = {},
): Promise<ExecutionResult> {
  const { signal, onStart } = options;
  if (signal?.aborted === true) return { status: 'ABORTED' };
  const service = await connectStepFunctions();
  try {
    const stateMachineArn = await findStateMachine(service, options.stateMachine);
    const executionArn = await start(service, stateMachineArn, input);
    onStart?.(executionArn);
    return await follow(service, executionArn, options);
  } finally {
    service.client.destroy();
  }
}

async function start(
  service: StepFunctions,
  stateMachineArn: string,
  input: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { sdk, client } = service;
  const run = typeof input.runId === 'string' ? input.runId.replace(/[^\w-]/g, '-').slice(0, 40) : 'run';
  const name = `${run}-${randomUUID()}`;
  try {
    const started = await client.send(
      new sdk.StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
    );
    return started.executionArn ?? '';
  } catch (error) {
    // The name is made up, so it is this very execution, of which an earlier answer was lost.
    if (error instanceof Error && error.name === 'ExecutionAlreadyExists') {
      return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    }
    if (error instanceof Error && error.name === 'StateMachineDoesNotExist') {
      throw new LakeletError(
        'STATE_MACHINE_NOT_FOUND',
        `${printable(service.place, 200)} has no state machine ${printable(stateMachineArn, 200)}: correct --state-machine, or deploy it`,
        { cause: error },
      );
    }
    throw awsError(error, 'start the execution', service);
  }
}

async function follow(
  service: StepFunctions,
  executionArn: string,
  { signal, onState, onTrouble }: StepFunctionsOptions,
): Promise<ExecutionResult> {
  const history = new History();
  const maps = new MapRuns(service, (change) => onState?.(change));
  let seen = 0;
  let pause = SOONEST;
  let answered = performance.now();
  let troubled = false;
  for (;;) {
    await wait(pause, undefined, { ...(signal !== undefined && { signal }) }).catch(() => undefined);
    if (signal?.aborted === true) return stop(service, executionArn);
    let news: HistoryNews;
    try {
      const events = await eventsAfter(service, executionArn, seen);
      seen = events.at(-1)?.id ?? seen;
      news = history.read(events);
      for (const change of news.changes) onState?.(change);
      await maps.look(news.mapRuns);
      answered = performance.now();
      troubled = false;
    } catch (error) {
      const failure = awsError(
        error,
        `follow the execution ${printable(executionArn, 300)}, which goes on where its service does`,
        service,
      );
      if (!failure.retryable || performance.now() - answered > PATIENCE) throw failure;
      if (!troubled) onTrouble?.(failure);
      troubled = true;
      pause = LATEST;
      continue;
    }
    if (news.result !== undefined) return news.result;
    pause = news.changes.length > 0 ? SOONEST : Math.min(LATEST, pause * 1.5);
  }
}

/** The events after number `seen`, in their order; read from the newest back, so that old ones cost nothing. */
async function eventsAfter(
  { sdk, client }: StepFunctions,
  executionArn: string,
  seen: number,
): Promise<HistoryEvent[]> {
  const events = new Map<number, HistoryEvent>();
  const pages = sdk.paginateGetExecutionHistory(
    { client, pageSize: PAGE },
    { executionArn, reverseOrder: true, includeExecutionData: true },
  );
  for await (const { events: page = [] } of pages) {
    for (const event of page) if ((event.id ?? 0) > seen) events.set(event.id ?? 0, event);
    if (page.some(({ id = 0 }) => id <= seen + 1)) break;
  }
  return [...events.values()].sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
}

async function stop(service: StepFunctions, executionArn: string): Promise<ExecutionResult> {
  const { sdk, client } = service;
  try {
    await client.send(
      new sdk.StopExecutionCommand({
        executionArn,
        error: 'Lakelet.INTERRUPTED',
        cause: JSON.stringify({ errorType: 'Lakelet.INTERRUPTED', errorMessage: 'Stopped by who started it' }),
      }),
    );
  } catch (error) {
    throw awsError(
      error,
      `stop the execution ${printable(executionArn, 300)}; it goes on where its service does`,
      service,
    );
  }
  return { status: 'ABORTED' };
}

/** Looks how many items the running distributed maps have done, which no event tells. */
class MapRuns {
  private readonly running = new Map<string, { readonly state: string; done: number }>();
  private readonly service: StepFunctions;
  private readonly tell: (change: StateChange) => void;

  constructor(service: StepFunctions, tell: (change: StateChange) => void) {
    this.service = service;
    this.tell = tell;
  }

  async look(changes: HistoryNews['mapRuns']): Promise<void> {
    for (const { arn, state, running } of changes) {
      if (running) this.running.set(arn, { state, done: 0 });
      else this.running.delete(arn);
    }
    for (const [mapRunArn, map] of this.running) {
      const { sdk, client } = this.service;
      const { itemCounts } = await client.send(new sdk.DescribeMapRunCommand({ mapRunArn }));
      const { succeeded: done = 0, total = 0 } = itemCounts ?? {};
      if (done > map.done) this.tell({ state: map.state, at: Date.now(), change: 'progressed', done, total });
      map.done = done;
    }
  }
}
