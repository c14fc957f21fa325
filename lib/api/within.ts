import { LakeletError } from '../errors.ts';

/**
 * What `work` comes to, if it does so in time. A store that was there before is waited for longer than a caller waits.
 *
 * @throws LakeletError `ANSWER_LATE`, to be tried again
 */
export async function within<Result>(seconds: number, work: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `No answer within ${seconds} s; most likely the lake's store is away`;
      reject(new LakeletError('ANSWER_LATE', message, { retryable: true }));
    }, seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
