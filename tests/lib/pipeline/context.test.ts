import { loadConfig } from '../../../lib/config.ts';
import { LakeletError } from '../../../lib/errors.ts';
import { logger } from '../../../lib/logger.ts';
import { withContext } from '../../../lib/pipeline/context.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();

/** How a step ends that throws this. */
async function endOf(thrown: Error): Promise<unknown> {
  const config = loadConfig({ LAKE_URI: folder() });
  return withContext({ log: logger('test'), config }, () => Promise.reject(thrown)).catch((error: unknown) => error);
}

describe('withContext', () => {
  it('lets a step be tried again whose commit may or may not have taken effect, and says how', async () => {
    const away = new LakeletError('STORE_UNREACHABLE', 'no answer from there');
    expect(await endOf(new LakeletError('COMMIT_UNKNOWN', 'look at the history', { cause: away }))).toMatchObject({
      code: 'COMMIT_UNKNOWN',
      retryable: true,
      message: expect.stringMatching(/^[^\n]*no answer from there[^\n]*same run id[^\n]*$/),
    });
  });

  it('passes on all other errors as they are', async () => {
    const error = new LakeletError('STORE_FULL', 'no space left');
    expect(await endOf(error)).toBe(error);
  });
});
