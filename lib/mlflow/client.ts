import { z } from 'zod';
import { LakeletError, printable } from '../errors.ts';
import { callServer, type MlflowRequest, type MlflowServer } from './http.ts';

const API = 'api/2.0/mlflow/';

const refusal = z.object({ error_code: z.string(), message: z.string().default('') });

/** What a call came to: its checked answer, or MLflow's refusal by its own error code. */
export type CallResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly errorCode: string; readonly message: string };

/** One call of MLflow's REST API (https://mlflow.org/docs/latest/api_reference/rest-api.html). */
export interface ApiCall<T> {
  readonly method: MlflowRequest['method'];
  /** Below `/api/2.0/mlflow/`, for example `runs/create`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** What the answer must look like. */
  readonly answer: z.ZodType<T>;
  /** See {@link MlflowRequest}. */
  readonly repeatable: boolean;
}

/**
 * Calls the server and checks its answer. Refusals (4xx but 401, 403 and 429) come back as a result, for the caller may
 * expect them.
 *
 * @throws LakeletError `MLFLOW_UNREACHABLE`, `MLFLOW_FAILED`, `MLFLOW_REFUSED` (401, 403), `CANCELLED`
 */
export async function tryCall<T>(server: MlflowServer, call: ApiCall<T>): Promise<CallResult<T>> {
  const { status, body } = await callServer(server, { ...call, path: `${API}${call.path}` });
  const text = new TextDecoder().decode(body);
  const json = parseJson(text);
  if (status < 200 || status > 299) {
    const told = refusal.safeParse(json);
    const errorCode = told.success ? told.data.error_code : '';
    const message = told.success ? told.data.message : text;
    const error = statusError(server, call.path, status, message);
    if (error !== undefined) throw error;
    return { ok: false, status, errorCode, message };
  }
  const checked = call.answer.safeParse(json);
  if (checked.success) return { ok: true, value: checked.data };
  throw new LakeletError(
    'MLFLOW_FAILED',
    `${server.trackingUri} answered ${call.path} with what no MLflow server says (${printable(text, 80)}): check that MLFLOW_TRACKING_URI is an MLflow server's address.`,
    { cause: checked.error },
  );
}

/** As {@link tryCall}, but any refusal is thrown as `MLFLOW_REFUSED`. */
export async function call<T>(server: MlflowServer, apiCall: ApiCall<T>): Promise<T> {
  const result = await tryCall(server, apiCall);
  if (result.ok) return result.value;
  throw refused(server, apiCall.path, result);
}

/** `MLFLOW_REFUSED` with the status that the server gave. */
export class MlflowRefusal extends LakeletError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('MLFLOW_REFUSED', message);
    this.status = status;
  }
}

/** A refusal as the error that a user reads. */
export function refused(
  server: MlflowServer,
  path: string,
  { status, message }: { readonly status: number; readonly message: string },
): MlflowRefusal {
  const where = `The MLflow server ${server.trackingUri}`;
  return new MlflowRefusal(status, `${where} refused ${path} with ${status}: ${printable(message, 300)}`);
}

/** What the server said to a transfer that failed, as the error that a user reads. */
export function transferError(server: MlflowServer, what: string, status: number, body: Uint8Array): LakeletError {
  const text = new TextDecoder().decode(body);
  const told = refusal.safeParse(parseJson(text));
  const message = told.success ? told.data.message : text;
  return statusError(server, what, status, message) ?? refused(server, what, { status, message });
}

function statusError(server: MlflowServer, what: string, status: number, message: string): LakeletError | undefined {
  const where = `The MLflow server ${server.trackingUri}`;
  const said = message.trim() === '' ? '' : ` (${printable(message.trim(), 200)})`;
  if (status === 401 || status === 403) {
    return new MlflowRefusal(
      status,
      `${where} refused ${what} with ${status}${said}: check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, and the server's --allowed-hosts.`,
    );
  }
  if (status === 429 || status >= 500 || status < 400) {
    return new LakeletError(
      'MLFLOW_FAILED',
      `${where} answered ${what} with ${status}${said}: look at the server's log.`,
      {
        retryable: true,
      },
    );
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON fails the check of the answer that follows, with the text in its message.
    return undefined;
  }
}
