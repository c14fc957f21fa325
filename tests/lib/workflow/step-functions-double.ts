import { createServer, type ServerResponse } from 'node:http';

/** An event of a history; `type` and `previousEventId` beside the details. */
export type DoubleEvent = { readonly type: string; readonly previousEventId: number } & Readonly<
  Record<string, unknown>
>;

/** A failure that is played instead of an answer: given the call's name, answers it itself and says true. */
export type Failure = (call: string, response: ServerResponse) => boolean;

/** Step Functions as far as a runner calls it, with pages of two, and a history that grows by what a test tells. */
export interface StepFunctionsDouble {
  readonly uri: string;
  readonly calls: { readonly call: string; readonly body: Readonly<Record<string, unknown>> }[];
  /** Names of the state machines. */
  machines: string[];
  /** The history so far, from number 1 on. */
  readonly events: DoubleEvent[];
  /** What becomes of the history at each look at it, one after the other. */
  readonly script: (readonly DoubleEvent[])[];
  mapRun: { readonly succeeded: number; readonly total: number };
  fail: Failure;
  close(): Promise<void>;
}

const PAGE = 2;
const ARN = 'arn:aws:states:us-east-1:000000000000';

/** Starts one on a free port of loopback. */
export async function startStepFunctionsDouble(): Promise<StepFunctionsDouble> {
  const double: Omit<StepFunctionsDouble, 'uri' | 'close'> = {
    calls: [],
    machines: ['lakelet-test'],
    events: [],
    script: [],
    mapRun: { succeeded: 0, total: 0 },
    fail: () => false,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
      const body: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString());
      double.calls.push({ call, body });
      if (double.fail(call, response)) return;
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer(double, call, body)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(double, {
    uri: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** An error as the service answers it. */
export function refuse(response: ServerResponse, status: number, type: string, message = 'refused'): true {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify({ __type: `com.amazonaws.swf.service.v2.model#${type}`, message }));
  return true;
}

function answer(
  double: Omit<StepFunctionsDouble, 'uri' | 'close'>,
  call: string,
  body: Readonly<Record<string, unknown>>,
): object {
  switch (call) {
    case 'ListStateMachines': {
      const from = Number(body.nextToken ?? 0);
      const page = double.machines.slice(from, from + PAGE).map((name) => ({
        name,
        stateMachineArn: `${ARN}:stateMachine:${name}`,
        type: 'STANDARD',
        creationDate: 1,
      }));
      const more = from + PAGE < double.machines.length;
      return { stateMachines: page, ...(more && { nextToken: String(from + PAGE) }) };
    }
    case 'StartExecution':
      return { executionArn: `${ARN}:execution:lakelet-test:${String(body.name)}`, startDate: 1 };
    case 'GetExecutionHistory': {
      if (body.nextToken === undefined) double.events.push(...(double.script.shift() ?? []));
      const all = double.events.map((event, at) => ({ id: at + 1, timestamp: 1000 + at, ...event })).reverse();
      const from = Number(body.nextToken ?? 0);
      const more = from + PAGE < all.length;
      return { events: all.slice(from, from + PAGE), ...(more && { nextToken: String(from + PAGE) }) };
    }
    case 'DescribeMapRun':
      return { itemCounts: { ...double.mapRun, pending: 0, running: 0, failed: 0, timedOut: 0, aborted: 0 } };
    default:
      return { stopDate: 1 };
  }
}
