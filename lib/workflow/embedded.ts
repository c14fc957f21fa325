import { LakeletError } from '../errors.ts';
import { type FunctionName, functionsOfTasks, readDefinition, withoutTimeLimits } from './definition.ts';
import type { ExecutionResult, StateChange } from './execution.ts';

type StepFunctions = typeof import('aws-local-stepfunctions');
type Execution = ReturnType<InstanceType<StepFunctions['StateMachine']>['run']>;
type ExecutionEvent = Execution['eventLogs'] extends AsyncGenerator<infer T> ? T : never;
type JsonValue = Awaited<Execution['result']>;

/** What runs a Task: the handler of a Lambda function, called with the Task's payload. */
export type TaskHandler = (event: unknown) => Promise<unknown>;

/** What a handler throws whose code runs elsewhere: the error's name there, and what Lambda tells of it. */
export class TaskFailure extends Error {
  /** JSON text with errorType and errorMessage, or plain text. */
  readonly told: string;

  constructor(name: string, told: string) {
    super(told);
    this.name = name;
    this.told = told;
  }
}

/** The handler of every Lambda function that the definition names. */
export type TaskHandlers = Readonly<Record<FunctionName, TaskHandler>>;

/** How {@link startEmbedded} is watched and stopped. */
export interface EmbeddedOptions {
  /** Stops the execution before its next state; what a running step has committed stays. */
  readonly signal?: AbortSignal;
  /** Called for every change of a state, in order. */
  readonly onState?: (change: StateChange) => void;
  /** For tests: seconds between tries, of every Task, instead of those that the definition gives. */
  readonly retrySeconds?: number;
}

/**
 * Executes `statemachine/lakehouse.asl.json` in this process, retries and catches included, with `handlers` in place of
 * the Lambda functions. A handler's payload is the JSON that a Lambda would get, and what it throws is seen by the
 * definition as Step Functions would see it: the error's `name`, and a cause in JSON.
 *
 * @param input the execution's input, a JSON object
 * @throws LakeletError `INPUT_INVALID`, `DEFINITION_INVALID`, `FILE_MISSING`; a failed step is a result, not an error
 */
export async function startEmbedded(
  input: unknown,
  handlers: TaskHandlers,
  options: EmbeddedOptions = {},
): Promise<ExecutionResult> {
  if (options.signal?.aborted === true) return { status: 'ABORTED' };
  const start = asJson(input);
  // 0.2 s to load (it brings the AWS SDK), so only those who run an execution pay for it.
  const { ExecutionAbortedError, StateMachine } = await import('aws-local-stepfunctions');
  // Tests validate the definition that is shipped; doing so again at every start would cost time and tell nothing new.
  const definition = withoutTimeLimits(readDefinition());
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } });
  const thrown = new Map<string, unknown>();
  const failedMaps = new Set<string>();
  const tasks = [...functionsOfTasks(definition)];
  const execution = machine.run(start, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(
        tasks.map(([state, name]) => [
          state,
          asLambda(whileItsMapRuns(handlers[name], mapOf(definition, state), failedMaps), thrown),
        ]),
      ),
      ...(options.retrySeconds !== undefined && {
        retryIntervalOverrides: Object.fromEntries(tasks.map(([state]) => [state, options.retrySeconds ?? 0])),
      }),
    },
  });
  const abort = (): void => execution.abort();
  options.signal?.addEventListener('abort', abort, { once: true });
  const failure = follow(execution.eventLogs, failedMaps, options.onState);
  try {
    return { status: 'SUCCEEDED', output: await execution.result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) return { status: 'ABORTED' };
    const failed = await failure;
    if (failed === undefined) throw error;
    return { status: 'FAILED', ...failed, ...(thrown.has(failed.cause) && { thrown: thrown.get(failed.cause) }) };
  } finally {
    options.signal?.removeEventListener('abort', abort);
    await failure;
  }
}

function asJson(input: unknown): JsonValue {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new LakeletError(
      'INPUT_INVALID',
      'The input of an execution is no JSON object: give one such as {"rows": 1000}.',
    );
  }
  return JSON.parse(JSON.stringify(input));
}

/** The Map that a state is inside of, if any. */
function mapOf(definition: ReturnType<typeof readDefinition>, state: string): string | undefined {
  const maps = Object.entries(definition.States);
  return maps.find(([, map]) => map.Type === 'Map' && state in (map.ItemProcessor?.States ?? {}))?.[0];
}

/** Step Functions stops the other items of a Map that fails; the runner in process would go on with all of them. */
function whileItsMapRuns(handler: TaskHandler, map: string | undefined, failed: ReadonlySet<string>): TaskHandler {
  if (map === undefined) return handler;
  return async (event) => {
    if (failed.has(map)) throw new TaskFailure('States.ItemStopped', `${map} has failed by another item`);
    return handler(event);
  };
}

/**
 * The handler as `lambda:invoke` runs it: JSON in, JSON out, errors by their name with a cause in JSON.
 *
 * @param thrown gets what the handler throws, by its cause
 */
function asLambda(handler: TaskHandler, thrown: Map<string, unknown>): (input: JsonValue) => Promise<JsonValue> {
  return async (input) => {
    try {
      const answer = await handler(payloadOf(input));
      return { Payload: answer === undefined ? null : JSON.parse(JSON.stringify(answer)) };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const told =
        error instanceof TaskFailure
          ? error.told
          : JSON.stringify({ errorType: name, errorMessage: message, ...traceOf(error) });
      thrown.set(told, error);
      const seen = new Error(told, { cause: error });
      seen.name = name;
      throw seen;
    }
  };
}

/** The line in which a handler of ours tells an error's code, as Lambda gives it with the rest of the trace. */
function traceOf(error: unknown): { trace?: string[] } {
  const [line = ''] = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  return /^Lakelet\.\w+ \[\w+\]: /.test(line) ? { trace: [line] } : {};
}

function payloadOf(input: JsonValue): unknown {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? input.Payload : undefined;
}

/** Reports the changes of states, and which Maps failed, until the execution ends; its error and cause where it failed. */
async function follow(
  events: AsyncIterable<ExecutionEvent>,
  failedMaps: Set<string>,
  onState: EmbeddedOptions['onState'],
): Promise<{ error: string; cause: string } | undefined> {
  let failure: { error: string; cause: string } | undefined;
  let items = 0;
  const errors = new Map<string, string>();
  for await (const event of events) {
    if (event.type === 'MapIterationSucceeded') {
      onState?.({ state: event.parentState.name, change: 'progressed', at: event.timestamp, done: ++items });
    }
    if (event.type === 'ExecutionFailed') {
      failure = { error: event.Error, cause: typeof event.Cause === 'string' ? event.Cause : String(event.Cause) };
    }
    if (event.type === 'StateFailed') {
      errors.set(event.state.name, event.Error);
      if (event.state.type === 'Map') failedMaps.add(event.state.name);
    }
    const change = stateChange(event, errors);
    if (change !== undefined) onState?.(change);
  }
  return failure;
}

/** @param errors what each state failed with last */
function stateChange(event: ExecutionEvent, errors: ReadonlyMap<string, string>): StateChange | undefined {
  const { timestamp: at } = event;
  const error = 'state' in event ? errors.get(event.state.name) : undefined;
  const failedWith = error === undefined ? {} : { error };
  switch (event.type) {
    case 'StateEntered':
      return { state: event.state.name, at, change: 'entered' };
    case 'StateExited':
      return { state: event.state.name, at, change: 'exited' };
    case 'StateFailed':
      return { state: event.state.name, at, change: 'failed', error: event.Error };
    case 'StateRetried':
      return { state: event.state.name, at, change: 'retried', attempt: event.retry.attempt, ...failedWith };
    case 'StateCaught':
      return { state: event.state.name, at, change: 'caught', ...failedWith };
    default:
      return undefined;
  }
}
