import { LakeletError, printable } from '../errors.ts';
import { LIMITS } from './limits.ts';

/** A request, whatever brought it. */
export interface HttpRequest {
  /** In capitals. */
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: Uint8Array | undefined;
}

/** An answer; its body is sent as JSON. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Besides those that all answers have. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The JSON of a request's body.
 *
 * @throws LakeletError `BODY_TOO_LARGE`, `MEDIA_TYPE_UNSUPPORTED`, `REQUEST_INVALID`
 */
export function jsonBody({ headers, body = new Uint8Array() }: HttpRequest): unknown {
  if (body.byteLength > LIMITS.bodyBytes) {
    throw new LakeletError(
      'BODY_TOO_LARGE',
      `The body has ${body.byteLength} bytes, and may have ${LIMITS.bodyBytes}; send it in parts`,
    );
  }
  // A page of another site can send other types without asking (CORS), and so make a browser act for it.
  const type = headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new LakeletError(
      'MEDIA_TYPE_UNSUPPORTED',
      `The body is of type ${printable(type, 100) || 'unknown'}; send JSON with Content-Type: application/json`,
    );
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new LakeletError('REQUEST_INVALID', 'The body is no JSON; send one JSON object', { cause });
  }
}

/**
 * The parts of a path, decoded.
 *
 * @throws LakeletError `REQUEST_INVALID`
 */
export function pathParts(path: string): string[] {
  try {
    return path
      .replace(/^\//, '')
      .replace(/\/$/, '')
      .split('/')
      .map((part) => decodeURIComponent(part));
  } catch (cause) {
    throw new LakeletError('REQUEST_INVALID', 'The path is not percent-encoded rightly; encode it as UTF-8', { cause });
  }
}
