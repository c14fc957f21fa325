import { purchases } from '../datasets/purchases/index.ts';
import { withContext } from '../lib/pipeline/context.ts';
import { silverEvent } from '../lib/pipeline/events.ts';
import { runSilver } from '../lib/pipeline/silver.ts';
import { type Handler, handlerOf } from './handler.ts';

/** The silver step as a handler that `signal` stops. */
export function silver(signal?: AbortSignal): Handler {
  return handlerOf('silver', silverEvent, (event, log) =>
    withContext({ log, signal }, (context) => runSilver(context, purchases, event)),
  );
}

/** The Lambda function. */
export const handler: Handler = silver();
