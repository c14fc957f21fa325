import type { ChartData, ReportInput } from '../../../lib/report/input.ts';

/** A report's input, small, with all that it may have; `change` replaces parts. */
export function reportInput(change: Partial<ReportInput> = {}): ReportInput {
  const actual = Float64Array.from({ length: 500 }, (_, row) => (row * 37) % 211);
  return {
    dataset: 'purchases',
    run: {
      id: 'run-1',
      madeAt: Date.UTC(2026, 10, 25, 11, 7),
      seconds: 2.5,
      lake: 'memory://lake',
      codeVersion: '1.2.3',
    },
    answers: [
      {
        table: 'gold/sales',
        columns: ['category', 'revenue'],
        rows: [{ category: 'Books', revenue: 1234.5 }],
        rowCount: 1,
        charts: [barData([{ label: 'Books', value: 1234.5 }])],
      },
    ],
    fates: {
      run: { in: 100, good: 90, quarantined: 6, duplicates: 3, rejected: 1 },
      all: { in: 200, good: 180, quarantined: 12, duplicates: 6, rejected: 2 },
      quarantine: [{ rule: 'age_out_of_range', reason: 'The age is not between 0 and 120.', rows: 12 }],
    },
    model: {
      name: 'amounts',
      target: 'amount',
      algorithm: 'forest',
      trees: 10,
      features: ['age', 'city'],
      rows: 2000,
      seconds: 0.5,
      split: 'one row in 5, by its key',
      scores: { r2: 0.8, mae: 10, rmse: 12 },
      comparisons: [{ name: 'mean', scores: { r2: 0, mae: 40, rmse: 50 } }],
      champion: {
        name: 'version 7',
        scores: { r2: 0.7, mae: 11, rmse: 13 },
        better: true,
        pValue: 0.01,
        difference: 25,
      },
      importances: [
        { name: 'age', importance: 0.7 },
        { name: 'city', importance: 0.3 },
      ],
      permutation: [
        { name: 'age', mean: 5, sd: 1 },
        { name: 'city', mean: 2, sd: 0.5 },
      ],
      actual,
      predicted: actual.map((value, row) => value + (row % 7) - 3),
      intervals: { level: 0.9, coverage: 0.912, meanWidth: 42 },
      segments: [
        { column: 'city', segment: 'Berlin', rows: 300, mae: 9, bias: 1 },
        { column: 'city', segment: 'Bonn', rows: 200, mae: 12, bias: -1 },
      ],
      curve: { name: 'oob_rmse', values: [NaN, 20, 15, 13, 12.5, 12.2, 12.1, 12, 12, 12] },
    },
    tables: [{ table: 'silver/purchases', rows: 180, files: 1, version: 3 }],
    ...change,
  };
}

/** A bar chart's figures. */
export function barData(points: ChartData['points'], change: Partial<ChartData> = {}): ChartData {
  return {
    title: 'Revenue by category',
    kind: 'bar',
    by: ['category'],
    measure: 'revenue',
    points,
    groups: points.length,
    total: points.reduce((sum, { value }) => sum + value, 0),
    ...change,
  };
}
