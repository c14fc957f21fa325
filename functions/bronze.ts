import { purchases } from '../datasets/purchases/index.ts';
import { runBronze } from '../lib/pipeline/bronze.ts';
import { withContext } from '../lib/pipeline/context.ts';
import { bronzeEvent } from '../lib/pipeline/events.ts';
import { type Handler, handlerOf } from './handler.ts';

/** The bronze step as a handler that `signal` stops. */
export function bronze(signal?: AbortSignal): Handler {
  return handlerOf('bronze', bronzeEvent, (event, log) =>
    withContext({ log, signal }, (context) => runBronze(context, purchases, event)),
  );
}

/** The Lambda function. */
export const handler: Handler = bronze();
