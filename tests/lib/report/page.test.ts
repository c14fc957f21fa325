import { renderReport, trainingPlots } from '../../../lib/report/index.ts';
import { barData, reportInput } from './report-example.ts';
import { misfit } from './well-formed.ts';

const HOSTILE = `"'><script>alert(1)</script>\n\u0007\u202e\ud800&amp;]]>`;

describe('a report', () => {
  test('tells the run, the answers, the records, the model and the tables', () => {
    const page = renderReport(reportInput());
    for (const text of [
      'run-1',
      '2026-11-25 11:07 UTC',
      'memory://lake',
      'Revenue by category',
      'Books is the greatest with 1,235, 100 % of all.',
      '100 in = 90 good + 6 quarantined + 3 duplicates + 1 rejected',
      'Over all 200 records',
      'age_out_of_range',
      'On average a prediction of amount is off by 10. ',
      'error is 75 % smaller',
      'The new model is better than the champion, version 7 (p = 0.010',
      'held 91.2 %',
      'Error by city',
      'silver/purchases',
    ]) {
      expect(page.replaceAll('&#39;', "'")).toContain(text);
    }
  });

  test('is the same to the last byte for the same input', () => {
    expect(renderReport(reportInput())).toBe(renderReport(reportInput()));
  });

  test('needs nothing from outside, and runs nothing', () => {
    const page = renderReport(reportInput());
    expect(page).not.toMatch(
      /\b(src|href|srcset|data)\s*=|url\(|@import|<(script|link|iframe|object|embed|base)\b|\son\w+=/i,
    );
  });

  test('has a name for each chart that those who cannot see it are told', () => {
    const charts = renderReport(reportInput()).match(/<svg[^>]*>/g) ?? [];
    expect(charts.length).toBeGreaterThan(7);
    for (const chart of charts) expect(chart).toMatch(/role="img" aria-label="[^"]{20,}"/);
  });

  test('shows hostile text as text, wherever it stands', () => {
    const { model } = reportInput();
    const input = reportInput({
      dataset: HOSTILE,
      run: { ...reportInput().run, id: HOSTILE, lake: HOSTILE },
      answers: [
        {
          table: HOSTILE,
          columns: [HOSTILE],
          rows: [{ [HOSTILE]: HOSTILE }],
          rowCount: 1,
          charts: [
            barData([{ label: HOSTILE, value: 1 }], { title: HOSTILE, measure: HOSTILE, unit: HOSTILE }),
            barData([{ label: HOSTILE, value: 1 }], { kind: 'line', title: HOSTILE }),
          ],
        },
      ],
      fates: { quarantine: [{ rule: HOSTILE, reason: HOSTILE, rows: 1 }] },
      model: {
        ...model,
        name: HOSTILE,
        target: HOSTILE,
        unit: HOSTILE,
        features: [HOSTILE],
        split: HOSTILE,
        withoutChampion: HOSTILE,
        comparisons: [{ name: HOSTILE, scores: model.scores }],
        importances: [{ name: HOSTILE, importance: 1 }],
        permutation: [{ name: HOSTILE, mean: 1, sd: 0 }],
        segments: [{ column: HOSTILE, segment: HOSTILE, rows: 1, mae: 1, bias: 0 }],
      },
      tables: [{ table: HOSTILE, rows: null, files: 1, version: 0 }],
    });
    const page = renderReport(input);
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u0007');
    expect(page).not.toContain('\u202e');
    expect(page).not.toMatch(/\p{Surrogate}/u);
    for (const svg of page.match(/<svg.*?<\/svg>/gs) ?? []) expect(misfit(svg)).toBeUndefined();
    for (const { body } of trainingPlots(input.model)) expect(misfit(new TextDecoder().decode(body))).toBeUndefined();
  });

  test('draws the greatest 20 of 10,000 groups, the others as one bar, and says so', () => {
    const points = Array.from({ length: 10_000 }, (_, at) => ({ label: `group ${at}`, value: at }));
    const [answer] = reportInput().answers;
    if (answer === undefined) throw new Error('no answer');
    const rows = points.map(({ label, value }) => ({ category: label, revenue: value }));
    const page = renderReport(
      reportInput({ answers: [{ ...answer, rows, rowCount: 10_000, charts: [barData(points)] }] }),
    );
    expect(page).toContain('The 20 greatest of 10,000 are shown, the others as one bar.');
    expect(page).toContain('9,980 others');
    expect(page).toContain('The first 50 of 10,000 rows.');
    expect(page).toContain('group 9980');
    expect(page).not.toContain('group 9979');
  });

  test('stays small however many rows were held out', () => {
    const actual = Float64Array.from({ length: 200_000 }, (_, row) => (row * 7919) % 100_003);
    const predicted = actual.map((_, row) => (row * 104_729) % 100_003);
    const page = renderReport(reportInput({ model: { ...reportInput().model, actual, predicted } }));
    expect(page.length).toBeLessThan(500_000);
  });

  test('says what is not known instead of leaving it out', () => {
    const { champion: _, curve: __, intervals: ___, ...model } = reportInput().model;
    const page = renderReport(reportInput({ model, fates: { quarantine: [] } }));
    expect(page).toContain('There is no champion to compare with yet.');
    expect(page).toContain('told no error by the number of trees');
    expect(page).toContain('gives no intervals');
    expect(page).toContain('does not tell what became of the records');
    expect(page).toContain('The quarantine is empty.');
  });

  test.each([
    [{ better: false, difference: 3, pValue: 0.3 }, 'did a little better than the champion'],
    [{ better: false, difference: -3, pValue: 0.9 }, 'is no better than the champion'],
  ])('puts the verdict of a paired test in words: %j', (verdict, text) => {
    const { model } = reportInput();
    const champion = { name: 'version 7', scores: model.scores, ...verdict };
    expect(renderReport(reportInput({ model: { ...model, champion } }))).toContain(text);
  });

  test('is made of constant targets, one row and empty tables as well', () => {
    const { model } = reportInput();
    const one = Float64Array.of(5);
    const page = renderReport(
      reportInput({
        model: { ...model, actual: one, predicted: one, segments: [], importances: [], permutation: [] },
        answers: [
          {
            table: 'gold/empty',
            columns: ['a'],
            rows: [],
            rowCount: 0,
            charts: [barData([]), barData([], { kind: 'line' })],
          },
        ],
      }),
    );
    expect(page).toContain('There is nothing to show.');
    expect(page).not.toContain('NaN');
  });
});
