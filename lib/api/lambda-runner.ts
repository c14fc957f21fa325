import { LakeletError, messageOf, printable } from '../errors.ts';
import { LOST_AFTER } from './execute.ts';
import { type ExecutionRunner, lost } from './executions.ts';

/**
 * Executions by a Lambda function of our own, which runs the state machine in its process: where there is no Step
 * Functions.
 *
 * @param url where the function is invoked: `http://…/2015-03-31/functions/NAME/invocations`
 */
export function lambdaRunner(url: string): ExecutionRunner {
  return {
    async start({ id, attempt }) {
      const response = await invoke(url, { id, attempt });
      if (response.status !== 202) throw notStarted(`it answered with status ${response.status}`);
    },
    async follow(record) {
      return Date.now() - Date.parse(record.updatedAt) > LOST_AFTER ? lost(record) : record;
    },
  };
}

async function invoke(url: string, event: object): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'X-Amz-Invocation-Type': 'Event' },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    throw notStarted(printable(messageOf(error), 200));
  }
}

function notStarted(why: string): LakeletError {
  return new LakeletError(
    'EXECUTION_NOT_STARTED',
    `The function that executes runs could not be invoked: ${why}; look at what serves the functions, and try again`,
    { retryable: true },
  );
}
