import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';

/** A service of AWS, or of an emulator, that is called. */
export interface Service {
  /** For messages, for example `Step Functions`. */
  readonly name: string;
  /** Where it is: the endpoint that is set, or AWS and the region. */
  readonly place: string;
  /** The variables that name its endpoint. */
  readonly variables: string;
}

/** Names of answers that say who is asking is not known, or no more. */
const CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature\w*|MissingAuthenticationToken\w*|ExpiredToken\w*|TokenRefreshRequired)$/;
const THROTTLING = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;

/** What the SDK threw, as a {@link LakeletError} in one line; one that is a LakeletError already passes through. */
export function awsError(error: unknown, doing: string, { name, place, variables }: Service): LakeletError {
  if (error instanceof LakeletError) return error;
  const what = error instanceof Error ? error.name : '';
  const where = printable(place, 200);
  const said = printable(
    [systemCode(error) ?? what, messageOf(error)].filter((part) => part !== '' && part !== 'Error').join(' '),
    300,
  );
  const wrap = (code: string, rest: string, retryable = false) =>
    new LakeletError(code, `Cannot ${doing}: ${rest}`, { cause: error, retryable });
  if (CREDENTIALS.test(what)) {
    return wrap(
      'ACCESS_DENIED',
      `${where} knows no such credentials (${said}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for emulators all that npm run emulators prints`,
    );
  }
  const status = statusOf(error);
  if (THROTTLING.test(what)) return wrap('THROTTLED', `${name} at ${where} takes no more calls now; try later`, true);
  if (status === 401 || status === 403 || /AccessDenied/.test(what)) {
    return wrap('ACCESS_DENIED', `${where} refuses it (${said}); check the credentials and what they may do`);
  }
  if (status !== undefined && status >= 500) {
    return wrap('AWS_FAILED', `${name} at ${where} answers ${status} ${said}; try later`, true);
  }
  if (status !== undefined && status >= 300) {
    // The SDK's name for an answer that names no error.
    if (/^Unknown(Error)?$/.test(what)) {
      return wrap('AWS_REFUSED', `${where} answers ${status}, as ${name} never does; see that ${variables} is right`);
    }
    return wrap('AWS_REFUSED', `${name} at ${where} answers ${said}`);
  }
  return wrap(
    'AWS_UNREACHABLE',
    `no answer from ${name} at ${where} (${said}); see that it runs and ${variables} is right (npm run emulators starts one on this machine)`,
    systemCode(error) !== 'ERR_INVALID_URL',
  );
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
