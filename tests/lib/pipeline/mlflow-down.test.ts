import { localVersions, recordKeys } from '../../../lib/mlflow/index.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { temporaryFolder } from './folder.ts';
import { Lakehouse } from './lakehouse.ts';

const folder = temporaryFolder();
/** A port that nothing listens on. */
const NOWHERE = 'http://127.0.0.1:9';

describe('gold with an MLflow server that is down', () => {
  it('fails with one clear error, its tables made and its record kept, and is done when it is repeated', async () => {
    const house = new Lakehouse(openStore(folder()));
    await house.bronze({ runId: 'r1' });
    await house.silver({ runId: 'r1' });
    const down = house.under({ MLFLOW_TRACKING_URI: NOWHERE });
    await expect(down.gold({ runId: 'r1' })).rejects.toMatchObject({
      code: 'MLFLOW_UNREACHABLE',
      message: expect.stringMatching(/^[^\n]*127\.0\.0\.1:9[^\n]*lakelet mlflow push[^\n]*$/),
    });
    expect(await recordKeys(house.records)).toEqual(['runs/r1.json']);
    const [period] = await house.query('SELECT sum(purchases)::INTEGER AS n FROM gold.purchases_by_period');
    expect(period).toEqual((await house.query('SELECT count(*)::INTEGER AS n FROM silver.purchases'))[0]);
    expect(await house.query("SELECT * FROM ops.runs WHERE step = 'gold'")).toEqual([]);

    const versions = await house.versions();
    await expect(house.gold({ runId: 'r1' })).resolves.toMatchObject({ mlflow: { version: '1', champion: true } });
    expect(await localVersions(house.records, 'purchase-amount')).toHaveLength(1);
    expect(await house.versions()).toEqual({
      ...versions,
      'gold/predictions': 1,
      'ops/runs': (versions['ops/runs'] ?? 0) + 1,
    });
  }, 60_000);

  it('refuses other parameters under the id of the run whose record is kept', async () => {
    const house = new Lakehouse(openStore(folder()));
    await house.bronze({ runId: 'r1' });
    await house.silver({ runId: 'r1' });
    const down = house.under({ MLFLOW_TRACKING_URI: NOWHERE });
    await expect(down.gold({ runId: 'r1' })).rejects.toMatchObject({ code: 'MLFLOW_UNREACHABLE' });
    await expect(house.gold({ runId: 'r1', trees: 3 })).rejects.toMatchObject({ code: 'RUN_ID_REUSED' });
  }, 60_000);
});
