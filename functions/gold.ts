import { purchases } from '../datasets/purchases/index.ts';
import { withContext } from '../lib/pipeline/context.ts';
import { goldEvent } from '../lib/pipeline/events.ts';
import { runGold } from '../lib/pipeline/gold.ts';
import { type Handler, handlerOf } from './handler.ts';

/** The gold step as a handler that `signal` stops. */
export function gold(signal?: AbortSignal): Handler {
  return handlerOf('gold', goldEvent, (event, log) =>
    withContext({ log, signal }, (context) => runGold(context, purchases, event)),
  );
}

/** The Lambda function. */
export const handler: Handler = gold();
