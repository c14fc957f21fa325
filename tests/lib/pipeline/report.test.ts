import { reportKey } from '../../../lib/pipeline/report.ts';
import { MemoryStore } from '../../../lib/storage/index.ts';
import { Lakehouse } from './lakehouse.ts';

describe('the report of a run', () => {
  const lakehouse = new Lakehouse(new MemoryStore());
  let page = '';
  let place: unknown;

  beforeAll(async () => {
    const [, , gold] = await lakehouse.all({ runId: 'first' });
    place = gold.report;
    page = new TextDecoder().decode(await lakehouse.lake.get(reportKey('first')));
  });

  test('lies in the lake, where the summary of gold says', () => {
    expect(place).toBe(`${lakehouse.lake.uri}/ops/reports/first/report.html`);
  });

  test('shows what gold, silver and the quarantine hold', async () => {
    const [sum] = await lakehouse.query('SELECT round(sum(revenue)) AS revenue FROM gold.purchases_by_category');
    const [silver] = await lakehouse.query('SELECT count(*) AS n FROM silver.purchases');
    const [rule] = await lakehouse.query(
      'SELECT rule, count(*) AS n FROM silver.purchases_quarantine GROUP BY rule ORDER BY n DESC LIMIT 1',
    );
    expect(page).toContain(`<b>${Number(sum?.revenue).toLocaleString('en-US')}</b>`);
    expect(page).toContain(`2,000 in = ${Number(silver?.n).toLocaleString('en-US')} good`);
    expect(page).toContain(`<title>${rule?.rule}: ${rule?.n}</title>`);
    for (const title of ['Revenue by category', 'Revenue by age', 'Revenue by education', 'Revenue by month']) {
      expect(page).toContain(`<h3>${title}</h3>`);
    }
    expect(page).toContain('after it began');
    expect(page).toContain('There is no champion to compare with yet.');
  });

  test('of the next run tells of the champion; of a run without bronze it tells no beginning', async () => {
    await lakehouse.gold({ runId: 'second', seed: 7 });
    const second = new TextDecoder().decode(await lakehouse.lake.get(reportKey('second')));
    expect(second).toMatch(/the champion, version 1 \(p /);
    expect(second).not.toContain('after it began');
    expect(second).toContain('All records in bronze: 2,000 in');
  });

  test('stands under names that are plain everywhere, a name of its own for each run', () => {
    expect(reportKey('a:b')).toBe('ops/reports/a%3Ab/report.html');
    expect(reportKey('.lakelet-x')).toBe('ops/reports/%2Elakelet-x/report.html');
  });
});
