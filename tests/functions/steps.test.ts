import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bronze, handler as bronzeHandler } from '../../functions/bronze.ts';
import { gold, handler as goldHandler } from '../../functions/gold.ts';
import { handler as recordFailure } from '../../functions/record-failure.ts';
import { silver, handler as silverHandler } from '../../functions/silver.ts';
import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { onProgress } from '../../lib/progress.ts';
import { openStore } from '../../lib/storage/index.ts';
import { startEmbedded } from '../../lib/workflow/index.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-functions-'));
  process.env.LAKE_URI = join(folder, 'lake');
});
afterEach(() => {
  delete process.env.LAKE_URI;
  rmSync(folder, { recursive: true, force: true });
});

/** Statuses, steps and codes that ops/runs holds. */
async function runs(): Promise<unknown[]> {
  const table = await DeltaTable.open(openStore(join(folder, 'lake', 'ops', 'runs')));
  const rows: unknown[] = [];
  for await (const batch of table.scan({ columns: ['run_id', 'step', 'status', 'error_code'] })) rows.push(...batch);
  return rows;
}

const HANDLERS = { Bronze: bronzeHandler, Silver: silverHandler, Gold: goldHandler, RecordFailure: recordFailure };

describe('the Lambda functions', () => {
  it.each([
    ['bronze', bronzeHandler],
    ['silver', silverHandler],
    ['gold', goldHandler],
  ])('%s refuses an unknown field by name', async (_, handler) => {
    await expect(handler({ rowz: 1 })).rejects.toMatchObject({
      name: 'Lakelet.EVENT_INVALID',
      message: expect.stringContaining('rowz'),
    });
  });

  it('share the lake of LAKE_URI', async () => {
    await expect(bronzeHandler({ runId: 'r', rows: 500 })).resolves.toMatchObject({ runId: 'r', step: 'bronze' });
    await expect(silverHandler({ runId: 'r' })).resolves.toMatchObject({ accounting: { run: { in: 500 } } });
    expect(await runs()).toHaveLength(3);
  });

  it('say which step comes first', async () => {
    await expect(goldHandler({})).rejects.toMatchObject({ name: 'Lakelet.TABLE_NOT_FOUND' });
  });

  it('stop before they write when their signal has ended', async () => {
    const signal = AbortSignal.abort();
    for (const step of [bronze(signal), silver(signal), gold(signal)]) {
      await expect(step({ rows: 500 })).rejects.toMatchObject({ name: 'Lakelet.INTERRUPTED' });
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stop in the middle of a delivery, of which nothing lands', async () => {
    const stop = new AbortController();
    const unsubscribe = onProgress(({ rows = 0 }) => {
      if (rows > 0) stop.abort();
    });
    const stopped = bronze(stop.signal)({ rows: 1_000_000_000 });
    await expect(stopped).rejects.toMatchObject({ name: 'Lakelet.INTERRUPTED' });
    unsubscribe();
    await expect(bronzeHandler({ rows: 500 })).resolves.toMatchObject({ tables: [{ rows: 500 }] });
  });
});

describe('the state machine over the functions', () => {
  it('fails with the error of the step, and ops/runs tells why', async () => {
    // Gold can't learn from one row.
    const result = await startEmbedded({ runId: 'r', rows: 1 }, HANDLERS);
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.TOO_FEW_ROWS', thrown: { code: 'TOO_FEW_ROWS' } });
    expect(await runs()).toContainEqual({ run_id: 'r', step: 'gold', status: 'failed', error_code: 'TOO_FEW_ROWS' });
  });

  it.each([
    [5, '5'],
    [null, 'null'],
    ['', ''],
    [{ a: 1 }, '{"a":1}'],
    ['x'.repeat(1001), 'x'.repeat(1000)],
  ])('notes the failure also where the run id is the fault: %j', async (runId, run_id) => {
    const result = await startEmbedded({ runId, shards: 1.5 }, HANDLERS);
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.EVENT_INVALID' });
    expect(await runs()).toEqual([{ run_id, step: 'bronze', status: 'failed', error_code: 'EVENT_INVALID' }]);
  });

  it('lands shards each by a call of bronze, and notes the step once', async () => {
    const result = await startEmbedded({ runId: 'r', rows: 20_000, shards: 5, trees: 1 }, HANDLERS);
    const bronze = { tables: [{ rows: 20_000, files: 5 }], delivered: { rows: 20_000, shards: 5 } };
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { runId: 'r', bronze } });
    expect((await runs()).filter((row) => (row as { step: string }).step === 'bronze')).toHaveLength(1);
  });

  it("fails with the error of the step also where that can't be noted", async () => {
    writeFileSync(join(folder, 'lake'), 'a file');
    const result = await startEmbedded({ runId: 'r' }, HANDLERS, { retrySeconds: 0 });
    expect(result).toMatchObject({ status: 'FAILED', error: 'Lakelet.NOT_A_FOLDER' });
  });
});
