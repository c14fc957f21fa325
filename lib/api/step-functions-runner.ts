import { createHash } from 'node:crypto';
import type { DescribeExecutionOutput, SFNClient } from '@aws-sdk/client-sfn';
import { isRecord } from '../delta/schema/types.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { LOST_AFTER, runFailure } from './execute.ts';
import type { ExecutionRecord } from './execution-record.ts';
import { type ExecutionRunner, lost } from './executions.ts';

let client: Promise<SFNClient> | undefined;

/** Executions on Step Functions, which keeps their state. */
export function stepFunctionsRunner(stateMachineArn: string): ExecutionRunner {
  return {
    async start(record) {
      const { StartExecutionCommand } = await import('@aws-sdk/client-sfn');
      const command = new StartExecutionCommand({
        stateMachineArn,
        name: nameOf(record),
        input: JSON.stringify(record.input),
      });
      await ask(async () => (await sfn()).send(command));
    },
    async follow(record) {
      const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn');
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${nameOf(record)}`;
      try {
        return stateOf(record, await (await sfn()).send(new DescribeExecutionCommand({ executionArn })));
      } catch (error) {
        // Between the record and the execution whoever starts it may end.
        if (nameIn(error) === 'ExecutionDoesNotExist') {
          return Date.now() - Date.parse(record.startedAt) > LOST_AFTER ? lost(record) : record;
        }
        throw notReached(error);
      }
    },
  };
}

function sfn(): Promise<SFNClient> {
  client ??= import('@aws-sdk/client-sfn').then(({ SFNClient }) => new SFNClient({}));
  return client;
}

/** Names of executions are unique, have 80 characters at most, and fewer kinds of them than a run's id. */
function nameOf({ id, attempt }: ExecutionRecord): string {
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 16);
  return `${id.replace(/[^\w.-]/g, '_').slice(0, 50)}-${digest}-${attempt}`;
}

function stateOf(record: ExecutionRecord, told: DescribeExecutionOutput): ExecutionRecord {
  const endedAt = told.stopDate?.toISOString();
  const ended = { ...record, ...(endedAt !== undefined && { endedAt }) };
  switch (told.status) {
    case 'SUCCEEDED':
      return { ...ended, status: 'SUCCEEDED', output: JSON.parse(told.output ?? 'null') };
    case 'FAILED':
    case 'TIMED_OUT':
    case 'ABORTED':
      return { ...ended, status: 'FAILED', error: runFailure(told.error ?? told.status, told.cause ?? told.status) };
    default:
      return record;
  }
}

async function ask<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw notReached(error);
  }
}

function nameIn(error: unknown): string {
  return isRecord(error) && typeof error.name === 'string' ? error.name : '';
}

function notReached(error: unknown): LakeletError {
  return new LakeletError(
    'STEP_FUNCTIONS_FAILED',
    `Step Functions refused the call (${printable(nameIn(error), 60)}: ${printable(messageOf(error), 300)}); check STATE_MACHINE_ARN and what the function may do`,
    { cause: error, retryable: /Throttl|TooMany|Timeout|ECONN|Network/i.test(nameIn(error)) },
  );
}
