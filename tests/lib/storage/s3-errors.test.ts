import { checkAnswer, isNoBucket, isNoObject, s3Error } from '../../../lib/storage/s3-errors.ts';

const WHERE = { bucket: 'b', key: 'lake/x', server: 'http://127.0.0.1:9000' };

function answer(status: number, name: string, message = ''): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

describe('s3Error', () => {
  it.each<[unknown, string, boolean, RegExp]>([
    [answer(403, 'AccessDenied', 'Access Denied'), 'ACCESS_DENIED', false, /403 AccessDenied.*s3:ListBucket/],
    [answer(400, 'ExpiredToken', 'The provided token has expired.'), 'ACCESS_DENIED', false, /expired; get new ones/],
    [answer(403, 'SignatureDoesNotMatch'), 'ACCESS_DENIED', false, /AWS_SECRET_ACCESS_KEY/],
    [answer(403, 'RequestTimeTooSkewed'), 'ACCESS_DENIED', false, /clock/],
    [answer(404, 'NoSuchBucket'), 'BUCKET_NOT_FOUND', false, /no bucket b at http.*s3 mb s3:\/\/b/],
    [answer(301, 'PermanentRedirect', 'use the other endpoint'), 'WRONG_REGION', false, /another region.*AWS_REGION/],
    [answer(400, 'AuthorizationHeaderMalformed', "expecting 'eu-west-1'"), 'WRONG_REGION', false, /eu-west-1/],
    [answer(501, 'NotImplemented', 'A header'), 'NOT_SUPPORTED', false, /501 NotImplemented A header.*lakelet doctor/],
    [answer(507, 'XMinioStorageFull'), 'STORE_FULL', false, /no space left/],
    [answer(503, 'SlowDown', 'Please reduce'), 'STORE_FAILED', true, /503 SlowDown Please reduce.*try later/],
    [answer(400, 'InvalidArgument', 'bad\nthing'), 'STORE_FAILED', false, /400 InvalidArgument bad\\nthing/],
    [
      Object.assign(new Error('connect ECONNREFUSED 1.2.3.4:5'), { code: 'ECONNREFUSED' }),
      'STORE_UNREACHABLE',
      true,
      /no answer from http:\/\/127.0.0.1:9000 \(ECONNREFUSED/,
    ],
    [
      Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'STORE_UNREACHABLE',
      false,
      /self-signed/,
    ],
    [
      Object.assign(new Error('the profile is broken'), { name: 'CredentialsProviderError' }),
      'ACCESS_DENIED',
      false,
      /the profile is broken.*AWS_ACCESS_KEY_ID/,
    ],
  ])('says what to do of %s', (cause, code, retryable, message) => {
    const error = s3Error(cause, 'write', WHERE);
    expect(error).toMatchObject({ name: 'LakeletError', code, retryable, cause });
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/\n/);
    if (code !== 'BUCKET_NOT_FOUND') expect(error.message).toMatch(/^Cannot write s3:\/\/b\/lake\/x: /);
  });

  it('tells a missing object from a missing bucket', () => {
    expect([isNoObject(answer(404, 'NoSuchKey')), isNoBucket(answer(404, 'NoSuchKey'))]).toEqual([true, false]);
    expect([isNoObject(answer(404, 'NoSuchBucket')), isNoBucket(answer(404, 'NoSuchBucket'))]).toEqual([false, true]);
    expect(isNoObject(answer(403, 'AccessDenied'))).toBe(false);
  });

  it('does not take a web page for an answer of S3', () => {
    checkAnswer('http://x', '"tag"');
    expect(() => checkAnswer('http://x', undefined)).toThrow(
      expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('http://x is not S3') }),
    );
  });
});
