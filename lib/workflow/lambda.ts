import type { LambdaClient } from '@aws-sdk/client-lambda';
import { awsPlace } from '../aws.ts';
import { LakeletError, printable } from '../errors.ts';
import { toldBy } from '../pipeline/lambda-error.ts';
import { awsError, type Service } from './aws-error.ts';
import { TaskFailure, type TaskHandler, type TaskHandlers } from './embedded.ts';

/** Milliseconds to connect, and for a function's answer: a Lambda runs 15 minutes at most. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 16 * 60_000 };

interface Lambda extends Service {
  readonly sdk: typeof import('@aws-sdk/client-lambda');
  readonly client: LambdaClient;
}

/** Handlers that invoke Lambda functions, and what frees their connections. */
export interface LambdaHandlers {
  readonly handlers: TaskHandlers;
  readonly close: () => void;
}

/**
 * Handlers that invoke the Lambda functions of a stage, on AWS or an emulator (`AWS_ENDPOINT_URL_LAMBDA`,
 * `AWS_ENDPOINT_URL`), and fail as Step Functions' `lambda:invoke` fails: by the name that the function's error has, or by
 * one of Lambda's own (`Lambda.TooManyRequestsException`, …).
 *
 * @param stage the functions are `lakelet-<stage>-bronze` and so on
 */
export async function lambdaHandlers(stage: string, signal?: AbortSignal): Promise<LambdaHandlers> {
  const lambda = await connect();
  const invoking = (name: string): TaskHandler => {
    return (event) => invoke(lambda, `lakelet-${stage}-${name}`, event, signal);
  };
  return {
    handlers: {
      Bronze: invoking('bronze'),
      Silver: invoking('silver'),
      Gold: invoking('gold'),
      RecordFailure: invoking('record-failure'),
    },
    close: () => lambda.client.destroy(),
  };
}

async function connect(): Promise<Lambda> {
  const sdk = await import('@aws-sdk/client-lambda');
  const { region, place } = await awsPlace(new sdk.LambdaClient({}).config);
  return {
    sdk,
    // The definition says what is tried again, and when.
    client: new sdk.LambdaClient({ region, maxAttempts: 1, requestHandler: TIMEOUTS }),
    name: 'Lambda',
    place,
    variables: 'AWS_ENDPOINT_URL_LAMBDA (or AWS_ENDPOINT_URL)',
  };
}

async function invoke(
  lambda: Lambda,
  FunctionName: string,
  event: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const { sdk, client } = lambda;
  const command = new sdk.InvokeCommand({ FunctionName, Payload: new TextEncoder().encode(JSON.stringify(event)) });
  let answer: { readonly FunctionError?: string | undefined; readonly Payload?: Uint8Array | undefined };
  try {
    answer = await client.send(command, { ...(signal !== undefined && { abortSignal: signal }) });
  } catch (error) {
    throw refusal(error, FunctionName, lambda);
  }
  const payload = new TextDecoder().decode(answer.Payload);
  if (answer.FunctionError !== undefined) throw functionError(payload);
  return payload === '' ? null : JSON.parse(payload);
}

/** What kept a function from being invoked, under the name that Step Functions has for it. */
function refusal(error: unknown, functionName: string, lambda: Lambda): LakeletError {
  const name = error instanceof Error ? error.name : '';
  const failure =
    name === 'ResourceNotFoundException'
      ? new LakeletError(
          'FUNCTION_NOT_FOUND',
          `Lambda at ${printable(lambda.place, 200)} has no function ${printable(functionName, 100)}: see that it is served or deployed, or name another --stage`,
          { cause: error },
        )
      : awsError(error, `invoke ${printable(functionName, 100)}`, lambda);
  if (/Exception$/.test(name)) failure.name = `Lambda.${name}`;
  else failure.name = failure.retryable ? 'Lambda.SdkClientException' : `Lakelet.${failure.code}`;
  return failure;
}

/** What Lambda tells of an error that a function threw, or died of, as that error. */
function functionError(payload: string): TaskFailure {
  const told = toldBy(payload);
  return new TaskFailure(told?.type ?? 'Lambda.Unknown', payload);
}
