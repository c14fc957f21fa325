import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { startLocalStack } from '../../localstack/localstack.ts';
import type { RunningServer } from '../../localstack/server.ts';
import { zipOf } from './zip.ts';

/** How long the first start may take, when LocalStack is installed; milliseconds. */
export const START_TIMEOUT = 600_000;

/** Source for a function's module: invocations that wait for one another run side by side, however slow the machine. */
export const MEET = `
  import { appendFileSync, readFileSync } from 'node:fs';
  async function meet(place, guests) {
    appendFileSync(place, '.');
    while (readFileSync(place).length < guests) await new Promise((resolve) => setTimeout(resolve, 20));
  }`;

/** What an invocation brought back. */
export interface Answer {
  readonly payload: unknown;
  /** `Unhandled` where the handler or the runtime failed. */
  readonly error: string | undefined;
  /** The last 4 KB of its log. */
  readonly log: string;
}

/** What a failed invocation's payload holds. */
export interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** A LocalStack of the test's own, with a client of its Lambda. */
export interface Lambdas {
  readonly server: RunningServer;
  /** The folder of its data. */
  readonly home: string;
  readonly client: LambdaClient;
  /** What the AWS SDK's clients are made with. */
  readonly connection: { endpoint: string; region: string; credentials: Credentials };
  /** Makes a function of these files; `index.handler`, 3 seconds and 128 MB where `options` say nothing else. */
  create(name: string, files: Readonly<Record<string, string>>, options?: Options): Promise<string>;
  invoke(name: string, event?: unknown): Promise<Answer>;
  /** Of an invocation that must fail. */
  fail(name: string, event?: unknown): Promise<Failure & { readonly log: string }>;
  stop(): Promise<void>;
}

type Options = Partial<CreateFunctionCommandInput>;
interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Starts LocalStack with what Lambdas need, and the services that are named. */
export async function startLambdas(...services: readonly string[]): Promise<Lambdas> {
  const home = await mkdtemp(join(tmpdir(), 'lakelet-lambdas-'));
  const server = await startLocalStack({ home, services: ['lambda', 's3', 'iam', 'sts', 'logs', ...services] });
  const connection = connectionOf(server.settings);
  const client = new LambdaClient({ ...connection, maxAttempts: 1 });
  const invoke = (name: string, event: unknown = {}) => invokeWith(client, name, event);
  return {
    server,
    home,
    client,
    connection,
    create: (name, files, options = {}) => create(client, name, files, options),
    invoke,
    async fail(name, event) {
      const { payload, error, log } = await invoke(name, event);
      expect({ error, payload }).toMatchObject({ error: 'Unhandled' });
      return { ...(payload as Failure), log };
    },
    async stop() {
      client.destroy();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function connectionOf(settings: Readonly<Record<string, string>>): Lambdas['connection'] {
  return {
    endpoint: settings.AWS_ENDPOINT_URL ?? '',
    region: settings.AWS_REGION ?? '',
    credentials: {
      accessKeyId: settings.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: settings.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
}

async function create(
  client: LambdaClient,
  name: string,
  files: Readonly<Record<string, string>>,
  options: Options,
): Promise<string> {
  const made = await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs22.x',
      Role: 'arn:aws:iam::000000000000:role/lambda',
      Handler: 'index.handler',
      Code: { ZipFile: zipOf(files) },
      Timeout: 3,
      MemorySize: 128,
      ...options,
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30, minDelay: 0.1, maxDelay: 0.5 }, { FunctionName: name });
  return made.FunctionArn ?? '';
}

async function invokeWith(client: LambdaClient, name: string, event: unknown): Promise<Answer> {
  const answer = await client.send(
    new InvokeCommand({ FunctionName: name, LogType: 'Tail', Payload: JSON.stringify(event) }),
  );
  return {
    payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString()),
    error: answer.FunctionError,
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
  };
}
