import * as Plot from '@observablehq/plot';
import { axisLabel, type Drawing, draw } from './canvas.ts';
import { colour } from './colours.ts';
import { compact } from './figures.ts';
import { shown } from './html.ts';

const HEIGHT = 250;

/** About as many names as fit below a line. */
const NAMES = 6;

/** A line over points that follow one another, from zero, so that a rise looks as large as it is. */
export function timeLine(
  points: readonly { readonly label: string; readonly value: number }[],
  label: string,
): Drawing {
  const rows = points.map(({ label: name, value }, at) => ({ at, name: shown(name), value }));
  const step = Math.max(1, Math.ceil(rows.length / NAMES));
  return draw({
    height: HEIGHT,
    marginTop: 28,
    marginLeft: 52,
    marginRight: 30,
    x: {
      label: null,
      ticks: rows.filter(({ at }) => at % step === 0).map(({ at }) => at),
      tickFormat: (at: number) => rows[at]?.name ?? '',
    },
    y: { label: axisLabel(label), labelArrow: 'none', tickFormat: compact, ticks: 5, zero: true, nice: true },
    marks: [
      Plot.gridY({ stroke: colour('line'), strokeOpacity: 1, ticks: 5 }),
      Plot.ruleY([0], { stroke: colour('muted') }),
      Plot.lineY(rows, { x: 'at', y: 'value', stroke: colour('series'), strokeWidth: 2 }),
      Plot.dot(rows, {
        x: 'at',
        y: 'value',
        r: 3,
        fill: colour('series'),
        title: (row) => `${row.name}: ${compact(row.value)}`,
      }),
    ],
  });
}

/** The most points of a learning curve. */
const CURVE_POINTS = 100;

/** A model's error by its number of trees. */
export function learningLine(values: ArrayLike<number>, label: string): Drawing {
  const every = Math.max(1, Math.ceil(values.length / CURVE_POINTS));
  const rows = Array.from(values, (value, at) => ({ trees: at + 1, value })).filter(
    ({ trees, value }) => Number.isFinite(value) && (trees % every === 0 || trees === values.length || trees === 1),
  );
  return draw({
    height: HEIGHT,
    marginTop: 28,
    marginLeft: 52,
    marginBottom: 42,
    x: { label: 'Number of trees', labelAnchor: 'center', labelArrow: 'none', ticks: 6 },
    y: { label: axisLabel(label), labelArrow: 'none', tickFormat: compact, ticks: 5, nice: true },
    marks: [
      Plot.gridY({ stroke: colour('line'), strokeOpacity: 1, ticks: 5 }),
      Plot.lineY(rows, { x: 'trees', y: 'value', stroke: colour('series'), strokeWidth: 2 }),
    ],
  });
}
