import { setTimeout as sleep } from 'node:timers/promises';
import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';

/** How to reach an MLflow server. */
export interface MlflowServer {
  /** `http(s)://host[:port][/prefix]` */
  readonly trackingUri: string;
  readonly username?: string;
  readonly password?: string;
  /** A bearer token; goes before a name and a password. */
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** For one try of a call, milliseconds; 30 s where absent. Transfers of files get four times as long. */
  readonly timeoutMs?: number;
  /** Tries of a call that may be repeated; 4 where absent. */
  readonly attempts?: number;
}

/** One call of the server. */
export interface MlflowRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below the tracking URI, without a slash in front. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  /** True where a second call does no harm: then it is tried again also when the first one's answer was lost. */
  readonly repeatable: boolean;
  /** Most bytes that an answer may have; 16 MiB where absent. */
  readonly limit?: number;
}

/** The server's answer, whatever its status. */
export interface MlflowAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

const DEFAULT_LIMIT = 16 * 1024 * 1024;
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Makes a call, again with growing random pauses where that can help and does no harm: after 429 and 503, and where no
 * connection came about; after other lost answers and 5xx only where the call is repeatable.
 *
 * @throws LakeletError `MLFLOW_UNREACHABLE` (no answer), `MLFLOW_FAILED` (an answer too large), `CANCELLED`
 */
export async function callServer(server: MlflowServer, request: MlflowRequest): Promise<MlflowAnswer> {
  const attempts = server.attempts ?? 4;
  for (let attempt = 1; ; attempt++) {
    const outcome = await callOnce(server, request);
    if (attempt >= attempts || !mayRepeat(outcome, request.repeatable)) {
      if ('error' in outcome) throw outcome.error;
      return outcome.answer;
    }
    await pause(server, 150 * 2 ** attempt * (0.5 + Math.random()));
  }
}

type Outcome = { readonly answer: MlflowAnswer } | { readonly error: LakeletError; readonly sent: boolean };

function mayRepeat(outcome: Outcome, repeatable: boolean): boolean {
  if ('error' in outcome) return outcome.error.retryable && (repeatable || !outcome.sent);
  const { status } = outcome.answer;
  return status === 429 || status === 503 || (repeatable && status >= 500 && status !== 501);
}

async function callOnce(server: MlflowServer, request: MlflowRequest): Promise<Outcome> {
  const url = urlOf(server, request);
  const moves = request.bytes !== undefined || request.limit !== undefined;
  const timeoutMs = (server.timeoutMs ?? 30_000) * (moves ? 4 : 1);
  const timeout = AbortSignal.timeout(timeoutMs);
  const body = request.json === undefined ? request.bytes : new TextEncoder().encode(JSON.stringify(request.json));
  try {
    const response = await fetch(url, {
      method: request.method,
      headers: headersOf(server, request),
      signal: server.signal === undefined ? timeout : AbortSignal.any([timeout, server.signal]),
      ...(body !== undefined && { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
    });
    return {
      answer: { status: response.status, body: await readAtMost(response, request.limit ?? DEFAULT_LIMIT, url) },
    };
  } catch (error) {
    if (error instanceof LakeletError) throw error;
    if (server.signal?.aborted === true) throw cancelled(server);
    const cause = causeOf(error) ?? error;
    const why = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : (systemCode(cause) ?? messageOf(cause));
    return {
      sent: !NEVER_SENT.has(systemCode(cause) ?? ''),
      error: new LakeletError(
        'MLFLOW_UNREACHABLE',
        `The MLflow server ${server.trackingUri} can't be reached (${printable(why, 200)}): check that it runs and that MLFLOW_TRACKING_URI is its address.`,
        { retryable: true, cause: error },
      ),
    };
  }
}

/** What fetch wraps in its TypeError: the system's error. */
function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}

async function readAtMost(response: Response, limit: number, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body === null) return new Uint8Array();
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > limit) {
      throw new LakeletError(
        'MLFLOW_FAILED',
        `MLflow's answer to ${url.pathname} is larger than ${limit} bytes: it was not read to its end.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

async function pause(server: MlflowServer, ms: number): Promise<void> {
  try {
    await sleep(ms, undefined, server.signal === undefined ? {} : { signal: server.signal });
  } catch {
    throw cancelled(server);
  }
}

function cancelled(server: MlflowServer): LakeletError {
  return new LakeletError('CANCELLED', `The call of the MLflow server ${server.trackingUri} was cancelled.`, {
    cause: server.signal?.reason,
  });
}

function urlOf(server: MlflowServer, request: MlflowRequest): URL {
  const base = URL.parse(server.trackingUri);
  if (
    base === null ||
    (base.protocol !== 'http:' && base.protocol !== 'https:') ||
    base.username !== '' ||
    base.password !== ''
  ) {
    throw new LakeletError(
      'CONFIG_INVALID',
      'The MLflow tracking URI must be an http:// or https:// address without a name and password in it: see MLFLOW_TRACKING_URI.',
    );
  }
  const url = new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}/${request.path}`);
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  return url;
}

function headersOf(server: MlflowServer, request: MlflowRequest): Record<string, string> {
  const { token, username, password } = server;
  const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
  const authorization = token !== undefined ? `Bearer ${token}` : username !== undefined ? `Basic ${basic}` : undefined;
  return {
    ...(authorization !== undefined && { authorization }),
    ...(request.json !== undefined && { 'content-type': 'application/json' }),
    ...(request.bytes !== undefined && { 'content-type': 'application/octet-stream' }),
  };
}
