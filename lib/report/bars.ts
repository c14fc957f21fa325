import * as Plot from '@observablehq/plot';
import { axisLabel, axisName, type Drawing, draw, roomFor } from './canvas.ts';
import { colour } from './colours.ts';
import { shown } from './html.ts';

/** One bar. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  /** How far the value is uncertain to either side. */
  readonly spread?: number;
}

/** How bars are drawn. */
export interface BarOptions {
  /** What the values are, with their unit. */
  readonly label: string;
  readonly format: (value: number) => string;
  /** A value that all are to be compared with. */
  readonly mark?: number;
}

const BAR_HEIGHT = 24;

/** Bars that lie, from the top in the order given, each with its figure. */
export function bars(given: readonly Bar[], { label, format, mark }: BarOptions): Drawing {
  // A position keeps apart names that look alike once they are cut.
  const rows = given.map(({ name, value, spread = 0 }, at) => ({ at, name: shown(name), value, spread }));
  return draw({
    height: rows.length * BAR_HEIGHT + 52,
    marginTop: 6,
    marginBottom: 42,
    marginLeft: roomFor(rows.map(({ name }) => name)),
    marginRight: 58,
    x: {
      label: axisLabel(label),
      labelAnchor: 'center',
      labelArrow: 'none',
      tickFormat: (value: number) => format(value),
      ticks: 4,
      nice: true,
    },
    y: {
      domain: rows.map(({ at }) => at),
      label: null,
      tickSize: 0,
      padding: 0.25,
      tickFormat: (at: number) => axisName(rows[at]?.name ?? ''),
    },
    marks: [
      Plot.gridX({ stroke: colour('line'), strokeOpacity: 1, ticks: 4 }),
      Plot.barX(rows, {
        x: 'value',
        y: 'at',
        fill: colour('series'),
        title: (row) => `${row.name}: ${format(row.value)}`,
      }),
      ...(rows.some(({ spread }) => spread > 0)
        ? [
            Plot.ruleY(rows, {
              x1: (row) => row.value - row.spread,
              x2: (row) => row.value + row.spread,
              y: 'at',
              stroke: colour('ink'),
            }),
          ]
        : []),
      ...(mark === undefined ? [] : [Plot.ruleX([mark], { stroke: colour('second'), strokeWidth: 1.5 })]),
      Plot.ruleX([0], { stroke: colour('muted') }),
      Plot.text(rows, {
        x: (row) => Math.max(0, row.value + row.spread),
        y: 'at',
        text: (row) => format(row.value),
        textAnchor: 'start',
        dx: 5,
        fill: colour('ink'),
        // Keeps the figure readable where the mark's line crosses it.
        stroke: colour('card'),
        strokeWidth: 4,
      }),
    ],
  });
}
