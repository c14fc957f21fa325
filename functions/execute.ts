import { execute, executeEvent } from '../lib/api/execute.ts';
import { loadConfig } from '../lib/config.ts';
import { openStore } from '../lib/storage/index.ts';
import { startEmbedded } from '../lib/workflow/index.ts';
import { bronze } from './bronze.ts';
import { gold } from './gold.ts';
import { handlerOf } from './handler.ts';
import { handler as recordFailure } from './record-failure.ts';
import { silver } from './silver.ts';

/** The Lambda function that executes the state machine in its own process, where there is no Step Functions. */
export const handler = handlerOf('execute', executeEvent, async (event) => {
  const handlers = { Bronze: bronze(), Silver: silver(), Gold: gold(), RecordFailure: recordFailure };
  const { id, attempt, status } = await execute(openStore(loadConfig().lakeUri), event, (input) =>
    startEmbedded(input, handlers),
  );
  return { id, attempt, status };
});
