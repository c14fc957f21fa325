import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';
import { isPassing, statusOf, textOf } from './s3-retry.ts';

/** What an {@link s3Error} tells beside the failure. */
export interface S3Where {
  readonly bucket: string;
  /** The object's full key, or a prefix. */
  readonly key: string;
  /** {@link S3Connection.server}, as far as it is known. */
  readonly server: string;
}

const NEEDED = 's3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it';

/** Answers that say who is asking is not known, or no more, by what to do then. */
const CREDENTIALS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'the access key is not known there; correct AWS_ACCESS_KEY_ID (or the profile)',
  SignatureDoesNotMatch: 'the secret key is wrong; correct AWS_SECRET_ACCESS_KEY (or the profile)',
  ExpiredToken: 'the credentials have expired; get new ones (aws sso login, or a new AWS_SESSION_TOKEN)',
  TokenRefreshRequired: 'the credentials have expired; get new ones (aws sso login, or a new AWS_SESSION_TOKEN)',
  InvalidToken: 'the session token is wrong; correct or unset AWS_SESSION_TOKEN',
  InvalidTokenId: 'the session token is wrong; correct or unset AWS_SESSION_TOKEN',
  RequestTimeTooSkewed: "this machine's clock is wrong; set it",
};

const FULL = new Set(['XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'QuotaExceeded', 'InsufficientStorage']);

/** Whether an answer says that there is no such object. A missing bucket is another matter, see {@link isNoBucket}. */
export function isNoObject(error: unknown): boolean {
  return statusOf(error) === 404 && !isNoBucket(error);
}

/** Whether an answer names the bucket as what is missing; an answer to HEAD never does. */
export function isNoBucket(error: unknown): boolean {
  return textOf(error, 'name') === 'NoSuchBucket';
}

/** Whether the condition of a request did not hold. */
export function isPreconditionFailed(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** Whether a range begins beyond the object's end. */
export function isRangeBeyondEnd(error: unknown): boolean {
  return statusOf(error) === 416;
}

/** The error for a bucket that is not there. */
export function noBucket({ bucket, server }: S3Where, cause?: unknown): LakeletError {
  return new LakeletError(
    'BUCKET_NOT_FOUND',
    `There is no bucket ${bucket} at ${printable(server, 200)}; correct LAKE_URI (or the URI), or make it: aws s3 mb s3://${bucket}`,
    { cause },
  );
}

/** What the SDK threw as a {@link LakeletError}; one that is a LakeletError already passes through. */
export function s3Error(error: unknown, doing: string, where: S3Where): LakeletError {
  if (error instanceof LakeletError) return error;
  if (isNoBucket(error)) return noBucket(where, error);
  const server = printable(where.server, 200);
  const place = `Cannot ${doing} ${printable(`s3://${where.bucket}/${where.key}`, 300)}`;
  const wrap = (code: string, rest: string, retryable = false) =>
    new LakeletError(code, `${place}: ${rest}`, { cause: error, retryable });

  const name = textOf(error, 'name');
  const status = statusOf(error);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return wrap(
      'ACCESS_DENIED',
      `no AWS credentials were found (${printable(messageOf(error), 200)}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`,
    );
  }
  const credentials = CREDENTIALS[name];
  if (credentials !== undefined) return wrap('ACCESS_DENIED', credentials);
  if (FULL.has(name) || status === 507)
    return wrap('STORE_FULL', `${server} has no space left; free some and try again`);
  if (status === 401 || status === 403) {
    return wrap('ACCESS_DENIED', `${server} refuses it (${said(error)}); check the credentials, which need ${NEEDED}`);
  }
  if (status === 301 || status === 307 || name === 'AuthorizationHeaderMalformed') {
    return wrap('WRONG_REGION', `the bucket lies in another region (${said(error)}); set AWS_REGION to it`);
  }
  if (status === 501) {
    return wrap(
      'NOT_SUPPORTED',
      `${server} does not support it (${said(error)}); lakelet doctor says what a lake needs, choose a server that has it`,
    );
  }
  if (status !== undefined && status >= 300) {
    const again = isPassing(error);
    const next = again ? 'it was asked again and again: try later' : 'lakelet doctor examines the bucket';
    return wrap('STORE_FAILED', `${server} answers ${said(error)}; ${next}`, again);
  }
  if (systemCode(error) === 'ERR_INVALID_URL') {
    return wrap('STORE_UNREACHABLE', `${server} is no URL; correct AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL`);
  }
  return wrap(
    'STORE_UNREACHABLE',
    `no answer from ${server} (${said(error)}); see that it runs and AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is right`,
    isPassing(error),
  );
}

/** What the SDK says for the name and the message of an answer without a body. */
const EMPTY_WORDS = new Set(['', 'Error', 'Unknown', 'UnknownError', 'NotFound']);

/** Whether a refusal that the SDK made an error of had no body that says why, as those of HEAD never have. */
export function isUnexplained(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  return status >= 400 && status < 500 && EMPTY_WORDS.has(textOf(error, 'name'));
}

/** The server's or the system's own words, and its status or code. */
function said(error: unknown): string {
  const code = systemCode(error);
  // OpenSSL's messages are addresses and lines of its source.
  if (code === 'EPROTO') return 'EPROTO: perhaps http:// is right, not https://';
  const name = textOf(error, 'name');
  const message = messageOf(error);
  const words = [code ?? name, message === name ? '' : message].filter((word) => !EMPTY_WORDS.has(word));
  return printable([statusOf(error) ?? '', ...words].join(' ').trim(), 200);
}

/**
 * Checks that an answer is S3's: those to reads and writes of objects have a tag. A web server or a proxy that says 200 to
 * everything would otherwise pass for a store that has taken what was written.
 *
 * @throws LakeletError `STORE_FAILED`
 */
export function checkAnswer(server: string, sign: unknown): void {
  if (sign !== undefined) return;
  throw new LakeletError(
    'STORE_FAILED',
    `What answers at ${printable(server, 200)} is not S3; correct AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL`,
  );
}
