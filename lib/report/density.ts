import * as Plot from '@observablehq/plot';
import { axisLabel, type Drawing, draw } from './canvas.ts';
import { colour } from './colours.ts';
import { compact, count } from './figures.ts';

const CELLS = 36;

const BARS = 40;

/** Predicted against actual: how many rows lie in each cell, and the line on which a perfect model's would all lie. */
export function agreement(actual: Float64Array, predicted: Float64Array, unit: string): Drawing {
  const { low, high } = range([actual, predicted]);
  const size = (high - low) / CELLS;
  const counts = new Uint32Array(CELLS * CELLS);
  for (let row = 0; row < actual.length; row++) {
    const x = cellOf(actual[row] ?? 0, low, size, CELLS);
    const y = cellOf(predicted[row] ?? 0, low, size, CELLS);
    const cell = y * CELLS + x;
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const cells = Array.from(counts, (n, at) => ({
    x: low + (at % CELLS) * size,
    y: low + Math.floor(at / CELLS) * size,
    n,
  }));
  return draw({
    height: 400,
    marginTop: 28,
    marginLeft: 56,
    marginBottom: 42,
    x: {
      label: axisLabel(`Actual${unit}`),
      labelAnchor: 'center',
      labelArrow: 'none',
      tickFormat: compact,
      ticks: 6,
      domain: [low, high],
    },
    y: { label: axisLabel(`Predicted${unit}`), labelArrow: 'none', tickFormat: compact, ticks: 6, domain: [low, high] },
    marks: [
      Plot.rect(
        cells.filter(({ n }) => n > 0),
        {
          x1: 'x',
          x2: (cell) => cell.x + size,
          y1: 'y',
          y2: (cell) => cell.y + size,
          fill: colour('series'),
          // By the root, so that the few rows far from the line are seen as well.
          fillOpacity: { value: (cell: { n: number }) => 0.12 + 0.88 * Math.sqrt(cell.n / most), scale: null },
        },
      ),
      Plot.line(
        [
          [low, low],
          [high, high],
        ],
        { stroke: colour('second'), strokeWidth: 1.5 },
      ),
    ],
  });
}

/** How far off predictions are: how many rows by actual less predicted; what lies far out is counted in the outer bars. */
export function residualBars(actual: Float64Array, predicted: Float64Array, unit: string): Drawing {
  const errors = actual.map((value, row) => value - (predicted[row] ?? 0)).sort();
  const far =
    Math.max(
      Math.abs(errors[Math.floor(errors.length * 0.005)] ?? 0),
      Math.abs(errors[Math.floor(errors.length * 0.995)] ?? 0),
    ) || 1;
  const size = (2 * far) / BARS;
  const counts = new Uint32Array(BARS);
  for (const error of errors) {
    const bar = cellOf(error, -far, size, BARS);
    counts[bar] = (counts[bar] ?? 0) + 1;
  }
  const rows = Array.from(counts, (n, at) => ({ from: at * size - far, n }));
  return draw({
    height: 260,
    marginTop: 28,
    marginLeft: 52,
    marginBottom: 42,
    x: {
      label: axisLabel(`Actual − predicted${unit}`),
      labelAnchor: 'center',
      labelArrow: 'none',
      tickFormat: compact,
      ticks: 6,
    },
    y: { label: 'Rows', labelArrow: 'none', tickFormat: compact, ticks: 5 },
    marks: [
      Plot.gridY({ stroke: colour('line'), strokeOpacity: 1, ticks: 5 }),
      Plot.rectY(rows, {
        x1: 'from',
        x2: (row) => row.from + size,
        y: 'n',
        fill: colour('series'),
        inset: 0.5,
        title: (row) => `${count(row.n)} rows`,
      }),
      Plot.ruleX([0], { stroke: colour('second'), strokeWidth: 1.5 }),
    ],
  });
}

function range(columns: readonly Float64Array[]): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const values of columns) {
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return high > low ? { low, high } : { low: low - 1, high: low + 1 };
}

function cellOf(value: number, low: number, size: number, cells: number): number {
  return Math.min(cells - 1, Math.max(0, Math.floor((value - low) / size)));
}
