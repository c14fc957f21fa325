/**
 * When a request to S3 is made again. The SDK's own strategy gives up after a number of attempts and lends all requests of
 * a process one budget of retries, so a server that is away for ten seconds would fail a process with many requests in
 * flight. This one counts time instead: a server that has answered this process before is waited for, a first contact
 * fails soon, since its address is more likely wrong than its server restarting. A server that was waited for in vain is
 * one that never answered, until it answers again: what is tried next, and after that, does not wait as long once more.
 */
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { systemCode } from '../errors.ts';

type RetryStrategy = Extract<NonNullable<S3ClientConfig['retryStrategy']>, { acquireInitialRetryToken: unknown }>;
type RetryToken = Awaited<ReturnType<RetryStrategy['acquireInitialRetryToken']>>;

/** How long, in milliseconds after its first failure, a request is made again to a server that has answered before. */
export const PATIENCE = 60_000;

/** The same for a server that has not answered this process yet, or was waited for in vain. */
export const FIRST_PATIENCE = 3_000;

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504]);

const PASSING_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

const PASSING_NAMES = new Set([
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
  // 409: another write of the same object was under way, and this one was neither done nor refused.
  'ConditionalRequestConflict',
  'OperationAborted',
]);

/** What Node.js and the SDK say of a body that broke off or was damaged on its way. */
const BROKEN_BODY = /^(aborted|Checksum mismatch)\b/;

/** The HTTP status of an answer that the SDK made an error of; undefined where no answer came. */
export function statusOf(error: unknown): number | undefined {
  const status = metadataOf(error)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

function metadataOf(
  error: unknown,
): { readonly httpStatusCode?: unknown; readonly clockSkewCorrected?: unknown } | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  return typeof metadata === 'object' && metadata !== null ? metadata : undefined;
}

/** The name or message of an error, also of one that another realm of JavaScript has made (jest runs code in its own). */
export function textOf(error: unknown, property: 'name' | 'message'): string {
  if (typeof error !== 'object' || error === null || !(property in error)) return '';
  const text: unknown = Reflect.get(error, property);
  return typeof text === 'string' ? text : '';
}

/** Whether the same request may succeed when it is made again: throttling, a lost connection, a server that restarts. */
export function isPassing(error: unknown): boolean {
  // The SDK has learnt the server's clock from a request that was refused for ours.
  if (metadataOf(error)?.clockSkewCorrected === true) return true;
  if (PASSING_NAMES.has(textOf(error, 'name'))) return true;
  // A refusal that breaks off within its text comes with these too, and is best asked for again.
  const code = systemCode(error) ?? '';
  // HPE_…: what came was cut or mixed up within its HTTP headers.
  if (PASSING_CODES.has(code) || code.startsWith('HPE_') || BROKEN_BODY.test(textOf(error, 'message'))) return true;
  return PASSING_STATUS.has(statusOf(error) ?? 0);
}

/** The pause before another attempt, in milliseconds: random, up to a bound that doubles with each attempt. */
export function pause(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(attempt, 10));
}

interface Token extends RetryToken {
  readonly count: number;
  /** When the request failed first (milliseconds of a steady clock). */
  readonly failedAt: number | undefined;
}

function token(count: number, failedAt: number | undefined, delay: number): Token {
  return { count, failedAt, getRetryCount: () => count, getRetryDelay: () => delay };
}

/** The strategy for one client; `now` is a steady clock in milliseconds. */
export function patientRetries(now: () => number = () => performance.now()): RetryStrategy {
  let answered = false;
  const given = new WeakMap<RetryToken, Token>();
  const give = (made: Token): Token => {
    given.set(made, made);
    return made;
  };
  return {
    acquireInitialRetryToken: async () => give(token(0, undefined, 0)),
    async refreshRetryTokenForRetry(used, { error, retryAfterHint }) {
      if (statusOf(error) !== undefined) answered = true;
      const { count, failedAt = now() } = given.get(used) ?? token(0, undefined, 0);
      if (!isPassing(error)) throw new Error('this failure does not pass');
      const asked = retryAfterHint === undefined ? 0 : Math.min(retryAfterHint.getTime() - Date.now(), LONGEST_PAUSE);
      const delay = Math.max(pause(count), asked);
      if (now() + delay > failedAt + (answered ? PATIENCE : FIRST_PATIENCE)) {
        answered = false;
        throw new Error('out of patience');
      }
      return give(token(count + 1, failedAt, delay));
    },
    recordSuccess() {
      answered = true;
    },
  };
}
