import type { LakeletError } from '../errors.ts';
import type { HttpAnswer } from './http.ts';

/** The HTTP status of each error that the caller can do something about; all others are the server's. */
export const STATUSES: Readonly<Record<string, number>> = {
  REQUEST_INVALID: 400,
  QUERY_INVALID: 400,
  PREDICTION_INVALID: 400,
  QUERY_NOT_READ_ONLY: 403,
  QUERY_REFUSED: 403,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
  TABLE_NOT_FOUND: 404,
  VERSION_NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  EXECUTION_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  QUERY_TIMEOUT: 408,
  RUN_ID_REUSED: 409,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  QUERY_CRASHED: 422,
  QUERY_TOO_LARGE: 422,
  ROW_TOO_LARGE: 422,
  TABLE_AMBIGUOUS: 422,
  UNSUPPORTED_FEATURE: 422,
  MODEL_UNSUITABLE: 422,
  EXECUTIONS_UNAVAILABLE: 501,
  MODEL_RUNTIME_MISSING: 501,
};

/** The answer to a request that failed. What happened inside is left to the log. */
export function failureAnswer(error: LakeletError): HttpAnswer {
  const { code, message, retryable } = error;
  const status = STATUSES[code];
  if (status !== undefined) return { status, body: { error: { code, message } } };
  return {
    status: retryable ? 503 : 500,
    body: {
      error: {
        code,
        message: `The request failed${retryable ? '; try again' : ''}; the log of the function tells why`,
      },
    },
  };
}
