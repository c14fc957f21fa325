import type { SFNClient } from '@aws-sdk/client-sfn';
import { awsPlace } from '../aws.ts';
import { LakeletError, printable } from '../errors.ts';
import { awsError, type Service } from './aws-error.ts';

/** What the names of Lakelet's state machines begin with; the stage follows. */
const PREFIX = 'lakelet-';

/** Milliseconds to connect, and in which an answer must begin. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 30_000 };

/** Step Functions, as the SDK's own settings say where it is and who asks. */
export interface StepFunctions extends Service {
  readonly sdk: typeof import('@aws-sdk/client-sfn');
  readonly client: SFNClient;
}

/** Loads the SDK and connects. Where no region is set it is us-east-1, which emulators take. */
export async function connectStepFunctions(): Promise<StepFunctions> {
  const sdk = await import('@aws-sdk/client-sfn');
  const { region, place } = await awsPlace(new sdk.SFNClient({}).config);
  return {
    sdk,
    client: new sdk.SFNClient({ region, maxAttempts: 3, requestHandler: TIMEOUTS }),
    name: 'Step Functions',
    place,
    variables: 'AWS_ENDPOINT_URL (or AWS_ENDPOINT_URL_SFN)',
  };
}

/**
 * The ARN of the state machine that is meant: an ARN itself, a name, or, where none is given, the only one whose name begins
 * with `lakelet-`.
 *
 * @throws LakeletError `STATE_MACHINE_NOT_FOUND`, `STATE_MACHINE_AMBIGUOUS`, those of {@link awsError}
 */
export async function findStateMachine(service: StepFunctions, wanted: string | undefined): Promise<string> {
  if (wanted?.startsWith('arn:') === true) return wanted;
  const machines = await listStateMachines(service);
  const found = machines.filter(({ name }) => (wanted === undefined ? name.startsWith(PREFIX) : name === wanted));
  const [first] = found;
  const where = printable(service.place, 200);
  if (first === undefined) {
    const which = wanted === undefined ? `whose name begins with ${PREFIX}` : `named ${printable(wanted, 100)}`;
    throw new LakeletError(
      'STATE_MACHINE_NOT_FOUND',
      `Step Functions at ${where} has no state machine ${which}: deploy one (npm run deploy:local for LocalStack, docs/aws.md for AWS), or name it with --state-machine`,
    );
  }
  if (found.length > 1) {
    const names = printable(found.map(({ name }) => name).join(', '), 500);
    throw new LakeletError(
      'STATE_MACHINE_AMBIGUOUS',
      `Step Functions at ${where} has ${found.length} state machines of Lakelet: choose one with --state-machine: ${names}`,
    );
  }
  return first.arn;
}

async function listStateMachines(
  service: StepFunctions,
): Promise<readonly { readonly name: string; readonly arn: string }[]> {
  const machines: { name: string; arn: string }[] = [];
  try {
    for await (const page of service.sdk.paginateListStateMachines({ client: service.client }, {})) {
      for (const { name = '', stateMachineArn: arn = '' } of page.stateMachines ?? []) machines.push({ name, arn });
    }
  } catch (error) {
    throw awsError(error, 'look for the state machine', service);
  }
  return machines;
}
