import { bars } from './bars.ts';
import type { Chart } from './chart.ts';
import { agreement, residualBars } from './density.ts';
import { amount, compact, count, percent, rows } from './figures.ts';
import type { ModelFacts, SegmentFacts } from './input.ts';
import { learningLine } from './lines.ts';

/** The most features of a chart. */
const MOST_FEATURES = 20;

/** The most columns whose segments are drawn. */
const MOST_COLUMNS = 12;

/** A unit behind an axis's name. */
export function unitOf({ unit }: Pick<ModelFacts, 'unit'>): string {
  return unit === undefined ? '' : ` (${unit})`;
}

/** All charts of a model. */
export interface ModelCharts {
  readonly importances: readonly Chart[];
  readonly agreement: Chart;
  readonly residuals: Chart;
  readonly segments: readonly Chart[];
  /** Undefined where the training told no error by the number of trees. */
  readonly curve: Chart | undefined;
}

const drawn = new WeakMap<ModelFacts, ModelCharts>();

/** Draws a model's charts; once for the same model, since its report and its plots show the same. */
export function modelCharts(model: ModelFacts): ModelCharts {
  const charts = drawn.get(model) ?? {
    importances: importanceCharts(model),
    agreement: agreementChart(model),
    residuals: residualChart(model),
    segments: segmentCharts(model),
    curve: curveChart(model),
  };
  drawn.set(model, charts);
  return charts;
}

/** What the model looks at: by its splits, and by what happens without a feature. */
function importanceCharts(model: ModelFacts): readonly Chart[] {
  const shares = model.importances.toSorted((a, b) => b.importance - a.importance);
  const [first] = shares;
  const rises = (model.permutation ?? []).toSorted((a, b) => b.mean - a.mean);
  const charts: Chart[] = [];
  if (first !== undefined) {
    charts.push({
      title: 'What the trees split on',
      caption: `Each column's share of what all splits lowered the squared error by; ${first.name} has ${percent(first.importance)}.${cutNote(shares.length, 'columns')}`,
      drawing: bars(
        shares.slice(0, MOST_FEATURES).map(({ name, importance }) => ({ name, value: importance })),
        { label: 'Share of the lowered squared error', format: percent },
      ),
    });
  }
  const [most] = rises;
  if (most !== undefined) {
    charts.push({
      title: 'What the model would lose without a column',
      caption: `How much the typical error (RMSE) rises where a column's values are shuffled among held-out rows; without ${most.name} it would be ${amount(most.mean)} larger. The thin line is one standard deviation to either side.${cutNote(rises.length, 'columns')}`,
      drawing: bars(
        rises.slice(0, MOST_FEATURES).map(({ name, mean, sd }) => ({ name, value: mean, spread: sd })),
        { label: `Rise of the RMSE${unitOf(model)}`, format: compact },
      ),
    });
  }
  return charts;
}

/** Predicted against actual. */
function agreementChart(model: ModelFacts): Chart {
  return {
    title: `Predicted against actual ${model.target}`,
    caption: `All ${count(model.actual.length)} held-out rows; the darker a cell, the more rows lie in it. On the orange line a prediction would be exact.`,
    drawing: agreement(model.actual, model.predicted, unitOf(model)),
  };
}

/** How far off predictions are. */
function residualChart(model: ModelFacts): Chart {
  const { actual, predicted } = model;
  let sum = 0;
  for (let row = 0; row < actual.length; row++) sum += (actual[row] ?? 0) - (predicted[row] ?? 0);
  const mean = sum / actual.length;
  const side = mean > 0 ? 'below' : 'above';
  return {
    title: 'How far off predictions are',
    caption: `Left of the line the model said too much, right of it too little; on average it lies ${amount(Math.abs(mean))} ${side} what came true. The outermost bars hold all rows that lie further out.`,
    drawing: residualBars(actual, predicted, unitOf(model)),
  };
}

/** The error of parts of the rows, a chart for each column. */
function segmentCharts(model: ModelFacts): readonly Chart[] {
  const byColumn = new Map<string, SegmentFacts[]>();
  for (const segment of model.segments ?? []) {
    byColumn.set(segment.column, [...(byColumn.get(segment.column) ?? []), segment]);
  }
  return [...byColumn].slice(0, MOST_COLUMNS).map(([column, segments]) => {
    const shownSegments = segments.slice(0, MOST_FEATURES);
    const worst = shownSegments.reduce((a, b) => (b.mae > a.mae ? b : a));
    return {
      title: `Error by ${column}`,
      caption: `Mean absolute error on the held-out rows of each value or range; it is greatest for ${worst.segment} (${rows(worst.rows)}, ${amount(worst.mae)}). The orange line is the error over all rows.${cutNote(segments.length, 'values')}`,
      drawing: bars(
        shownSegments.map(({ segment, mae }) => ({ name: segment, value: mae })),
        {
          label: `Mean absolute error${unitOf(model)}`,
          format: compact,
          ...(model.scores.mae !== undefined && { mark: model.scores.mae }),
        },
      ),
    };
  });
}

/** The columns whose segments have no chart. */
export function undrawnColumns(model: ModelFacts): number {
  return Math.max(0, new Set((model.segments ?? []).map(({ column }) => column)).size - MOST_COLUMNS);
}

/** The error by the number of trees; undefined where the training did not tell it. */
function curveChart(model: ModelFacts): Chart | undefined {
  const { curve } = model;
  if (curve === undefined || !Array.from(curve.values).some(Number.isFinite)) return undefined;
  const rowsOf = curve.name === 'oob_rmse' ? 'rows that a tree did not learn from' : 'rows kept apart while training';
  return {
    title: 'How the error fell as trees were added',
    caption: `The typical error (RMSE) on ${rowsOf}. Where the line is flat, more trees would not help.`,
    drawing: learningLine(curve.values, `RMSE${unitOf(model)}`),
  };
}

function cutNote(all: number, what: string): string {
  return all > MOST_FEATURES ? ` The first ${MOST_FEATURES} of ${count(all)} ${what} are shown.` : '';
}
