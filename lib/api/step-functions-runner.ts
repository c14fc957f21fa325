import { createHash } from 'node:crypto';
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { awsError } from '../workflow/aws-error.ts';
import { abortedWith, failureOf } from '../workflow/index.ts';
import { connectStepFunctions, type StepFunctions } from '../workflow/step-functions-client.ts';
import { LOST_AFTER } from './execute.ts';
import type { ExecutionRecord } from './execution-record.ts';
import { type ExecutionRunner, lost } from './executions.ts';

/** Executions on Step Functions, which keeps their state; of each attempt, one by a name of its own. */
export function stepFunctionsRunner(stateMachineArn: string): ExecutionRunner {
  let connected: Promise<StepFunctions> | undefined;
  const connect = (): Promise<StepFunctions> => {
    connected ??= connectStepFunctions();
    return connected;
  };
  return {
    async start(record) {
      const service = await connect();
      const input = JSON.stringify(record.input);
      try {
        await service.client.send(
          new service.sdk.StartExecutionCommand({ stateMachineArn, name: nameOf(record), input }),
        );
      } catch (error) {
        throw awsError(error, 'start the execution', service);
      }
    },
    async follow(record) {
      const service = await connect();
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${nameOf(record)}`;
      try {
        const told = await service.client.send(new service.sdk.DescribeExecutionCommand({ executionArn }));
        return stateOf(record, told, executionArn);
      } catch (error) {
        // Who noted the attempt may be about to start it, or have ended before that.
        if (!(error instanceof service.sdk.ExecutionDoesNotExist)) {
          throw awsError(error, 'look at the execution', service);
        }
        return Date.now() - Date.parse(record.startedAt) > LOST_AFTER ? lost(record) : record;
      }
    },
  };
}

/** Names of executions have 80 characters at most, and fewer kinds of them than a run's id. */
function nameOf({ id, attempt }: ExecutionRecord): string {
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 16);
  return `${id.replace(/[^\w.-]/g, '_').slice(0, 50)}-${digest}-${attempt}`;
}

function stateOf(record: ExecutionRecord, told: DescribeExecutionOutput, place: string): ExecutionRecord {
  const { status, stopDate, output, error = 'States.Timeout', cause = '' } = told;
  const ended = { ...record, ...(stopDate !== undefined && { endedAt: stopDate.toISOString() }) };
  if (status === 'SUCCEEDED') return { ...ended, status, output: JSON.parse(output ?? 'null') };
  if (status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED') return record;
  const failure = failureOf(status === 'ABORTED' ? abortedWith(told) : { status: 'FAILED', error, cause }, place);
  return { ...ended, status: 'FAILED', error: { code: failure.code, message: failure.message } };
}
