import { withContext } from '../lib/pipeline/context.ts';
import { failureEvent } from '../lib/pipeline/events.ts';
import { recordFailure } from '../lib/pipeline/failure.ts';
import { handlerOf } from './handler.ts';

/** The Lambda function that notes why a run failed. */
export const handler = handlerOf('record-failure', failureEvent, (event, log) =>
  withContext({ log }, (context) => recordFailure(context, event)),
);
