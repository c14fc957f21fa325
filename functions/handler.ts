import middy from '@middy/core';
import type { ZodType } from 'zod';
import { asLakeletError, LakeletError, printable } from '../lib/errors.ts';
import { type Logger, logger } from '../lib/logger.ts';
import { traceLine } from '../lib/pipeline/lambda-error.ts';

/** A Lambda handler, which may also be called in process, with the event alone. */
export type Handler = (event: unknown) => Promise<unknown>;

/** What of an event and an answer is logged. */
export interface Told<Event, Summary> {
  readonly event?: (event: Event) => object;
  readonly summary?: (summary: Summary) => object;
}

/**
 * A Lambda handler around one step: it checks the event, logs how the step began and ended, and rethrows what went wrong
 * under a name that Step Functions can match: `Lakelet.Retryable` where another try may pass, else `Lakelet.<code>`.
 *
 * @param step who logs, for example `bronze`
 * @param schema what the event may be; an empty event (`""`, null, none) is checked as `{}`
 * @param run does the step and returns a small JSON summary
 * @param told what is logged of the event and the summary, if not all
 */
export function handlerOf<Event, Summary extends object>(
  step: string,
  schema: ZodType<Event>,
  run: (event: Event, log: Logger) => Promise<Summary>,
  told: Told<Event, Summary> = {},
): Handler {
  const wrapped = middy<Event, Summary>()
    .before((request) => {
      request.event = checked(step, schema, request.event);
      logger(step).info({ event: (told.event ?? all)(request.event) }, 'begins');
    })
    .after((request) => {
      logger(step).info({ summary: request.response && (told.summary ?? all)(request.response) }, 'done');
    })
    .onError((request) => {
      throw named(step, request.error);
    })
    .handler((event: Event) => run(event, logger(step)));
  return (event) => Reflect.apply(wrapped, undefined, [event, {}]);
}

function checked<Event>(step: string, schema: ZodType<Event>, event: unknown): Event {
  const result = schema.safeParse(event === '' || event === null || event === undefined ? {} : event);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => printable(path.length > 0 ? `${path.join('.')}: ${message}` : message, 200));
  throw new LakeletError('EVENT_INVALID', `The event of ${step} can't be used: ${problems.join('; ')}.`);
}

function named(step: string, thrown: unknown): LakeletError {
  const error = asLakeletError(thrown, 'STEP_FAILED', `${step} failed`);
  logger(step).error({ err: error, code: error.code, retryable: error.retryable }, 'failed');
  error.name = error.retryable ? 'Lakelet.Retryable' : `Lakelet.${error.code}`;
  // Lambda tells of an error its name, its message and its trace: the code goes into the trace where the name lacks it.
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  error.stack = [traceLine(error.name, error.code, error.message), ...frames].join('\n');
  return error;
}

/** All of it, where nothing else is said. */
function all(value: unknown): unknown {
  return value;
}
