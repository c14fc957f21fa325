import { failureEvent } from '../../../lib/pipeline/events.ts';
import { recordFailure } from '../../../lib/pipeline/failure.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { temporaryFolder } from './folder.ts';
import { Lakehouse } from './lakehouse.ts';

const folder = temporaryFolder();

function note(house: Lakehouse, event: object): Promise<unknown> {
  return house.with((context) => recordFailure(context, failureEvent.parse({ runId: 'r1', step: 'silver', ...event })));
}

describe('a failure', () => {
  it('is noted in ops/runs with its code and message, once however often it is told', async () => {
    const house = new Lakehouse(openStore(folder()));
    const cause = JSON.stringify({ errorType: 'Lakelet.STORE_FULL', errorMessage: "The disk's full" });
    const first = await note(house, { error: 'Lakelet.STORE_FULL', cause });
    expect(await note(house, { error: 'Lakelet.STORE_FULL', cause })).toEqual(first);
    expect(
      await house.query('SELECT run_id, step, status, "table", error_code, error, started_at, rows_in FROM ops.runs'),
    ).toEqual([
      {
        run_id: 'r1',
        step: 'silver',
        status: 'failed',
        table: null,
        error_code: 'STORE_FULL',
        error: "The disk's full",
        started_at: null,
        rows_in: null,
      },
    ]);
  });

  it('of the same step for another reason is noted beside it', async () => {
    const house = new Lakehouse(openStore(folder()));
    await note(house, { error: 'States.Timeout', cause: '' });
    await note(house, { error: 'Lakelet.X', cause: 'no JSON' });
    await note(house, { error: 'Lakelet.Y', cause: '{"other":1}' });
    expect(await house.query('SELECT error_code, error FROM ops.runs ORDER BY error_code')).toEqual([
      { error_code: 'States.Timeout', error: '' },
      { error_code: 'X', error: 'no JSON' },
      { error_code: 'Y', error: '{"other":1}' },
    ]);
  });

  it('that could have passed is noted by its code, which its name does not tell', async () => {
    const house = new Lakehouse(openStore(folder()));
    const trace = ['Lakelet.Retryable [MLFLOW_UNREACHABLE]: no answer', '    at x'];
    await note(house, { error: 'Lakelet.Retryable', cause: JSON.stringify({ errorMessage: 'no answer', trace }) });
    expect(await house.query('SELECT error_code, error FROM ops.runs')).toEqual([
      { error_code: 'MLFLOW_UNREACHABLE', error: 'no answer' },
    ]);
  });

  it('leaves the run free to be done again under its id', async () => {
    const house = new Lakehouse(openStore(folder()));
    await house.bronze({ runId: 'r1' });
    await note(house, { error: 'Lakelet.X', cause: '' });
    await expect(house.silver({ runId: 'r1' })).resolves.toMatchObject({ step: 'silver' });
  });
});
