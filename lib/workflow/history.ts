import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { ExecutionResult, StateChange } from './execution.ts';
import { abortedWith } from './failure.ts';

/** What is known where an event happened: each names the one before it. */
interface Place {
  readonly state: string;
  /** The error that is still to be tried again, caught or ended with. */
  readonly failed?: string;
  readonly attempts: number;
}

/** The map whose items are under way. */
interface MapProgress {
  readonly state: string;
  readonly total: number;
  done: number;
}

/** What new events tell. */
export interface HistoryNews {
  readonly changes: readonly StateChange[];
  /** The distributed map runs that began or ended, by ARN. */
  readonly mapRuns: readonly { readonly arn: string; readonly state: string; readonly running: boolean }[];
  readonly result?: ExecutionResult;
}

/**
 * Makes the changes of states out of an execution's history, whose events are given once each, in their order.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
 */
export class History {
  private readonly places = new Map<number, Place>();
  private readonly maps = new Map<string, MapProgress>();
  private runningMap: { readonly arn: string; readonly state: string } | undefined;

  /** Takes up further events. */
  read(events: readonly HistoryEvent[]): HistoryNews {
    const changes: StateChange[] = [];
    const mapRuns: { arn: string; state: string; running: boolean }[] = [];
    let result: ExecutionResult | undefined;
    for (const event of events) {
      changes.push(...this.changesOf(event));
      const run = this.mapRunOf(event);
      if (run !== undefined) mapRuns.push(run);
      result = resultOf(event) ?? result;
    }
    return { changes, mapRuns, ...(result !== undefined && { result }) };
  }

  private changesOf(event: HistoryEvent): StateChange[] {
    const { id = 0, previousEventId = 0 } = event;
    const at = event.timestamp?.getTime() ?? Date.now();
    const before = this.places.get(previousEventId) ?? { state: '', attempts: 0 };
    const entered = event.stateEnteredEventDetails?.name;
    if (entered !== undefined) {
      this.places.set(id, { state: entered, attempts: 0 });
      return [{ state: entered, at, change: 'entered' }];
    }
    const { state } = before;
    const exited = event.stateExitedEventDetails?.name;
    if (exited !== undefined) {
      this.places.set(id, { state: exited, attempts: 0 });
      const caught: StateChange[] =
        before.failed === undefined ? [] : [{ state: exited, at, change: 'caught', error: before.failed }];
      return [...caught, { state: exited, at, change: 'exited' }];
    }
    const failed = failureOf(event);
    if (failed !== undefined && state !== '') {
      this.places.set(id, { ...before, failed });
      return before.failed === failed ? [] : [{ state, at, change: 'failed', error: failed }];
    }
    if (/^(Task|LambdaFunction|Activity)Scheduled$/.test(event.type ?? '') && before.failed !== undefined) {
      this.places.set(id, { state, attempts: before.attempts + 1 });
      return [{ state, at, change: 'retried', error: before.failed, attempt: before.attempts + 1 }];
    }
    this.places.set(id, before);
    return this.mapChange(event, state, at);
  }

  /** Items of a map that runs inline; a distributed one tells nothing of them here. */
  private mapChange(event: HistoryEvent, state: string, at: number): StateChange[] {
    if (event.type === 'MapStateStarted') {
      this.maps.set(state, { state, total: event.mapStateStartedEventDetails?.length ?? 0, done: 0 });
    }
    const map = this.maps.get(event.mapIterationSucceededEventDetails?.name ?? '');
    if (event.type !== 'MapIterationSucceeded' || map === undefined) return [];
    map.done += 1;
    return [{ state: map.state, at, change: 'progressed', done: map.done, total: map.total }];
  }

  private mapRunOf(event: HistoryEvent): { arn: string; state: string; running: boolean } | undefined {
    const arn = event.mapRunStartedEventDetails?.mapRunArn;
    if (arn !== undefined) {
      this.runningMap = { arn, state: this.places.get(event.id ?? 0)?.state ?? '' };
      return { ...this.runningMap, running: true };
    }
    if (!/^MapRun(Succeeded|Failed|Aborted)$/.test(event.type ?? '') || this.runningMap === undefined) return undefined;
    return { ...this.runningMap, running: false };
  }
}

/** The error's name where the event says that something of a state failed. */
function failureOf(event: HistoryEvent): string | undefined {
  if (!/(Failed|TimedOut)$/.test(event.type ?? '') || /^(Execution|MapIteration)/.test(event.type ?? ''))
    return undefined;
  const details = Object.values(event).find(
    (value): value is { error?: unknown } => typeof value === 'object' && value !== null && 'error' in value,
  );
  const fallback = /TimedOut$/.test(event.type ?? '') ? 'States.Timeout' : 'States.TaskFailed';
  return typeof details?.error === 'string' ? details.error : fallback;
}

function resultOf(event: HistoryEvent): ExecutionResult | undefined {
  switch (event.type) {
    case 'ExecutionSucceeded':
      return { status: 'SUCCEEDED', output: JSON.parse(event.executionSucceededEventDetails?.output ?? 'null') };
    case 'ExecutionFailed': {
      const { error = 'States.TaskFailed', cause = '' } = event.executionFailedEventDetails ?? {};
      return { status: 'FAILED', error, cause };
    }
    case 'ExecutionAborted':
      return abortedWith(event.executionAbortedEventDetails ?? {});
    case 'ExecutionTimedOut':
      return { status: 'FAILED', error: 'States.Timeout', cause: 'The execution took longer than it may.' };
    default:
      return undefined;
  }
}
