import { type Chart, standalone } from './chart.ts';
import type { ModelFacts } from './input.ts';
import { modelCharts } from './model-charts.ts';

/** A picture as MLflow keeps it: its place among a run's artifacts, and its bytes. */
export interface PlotFile {
  readonly path: string;
  readonly body: Uint8Array;
}

/**
 * A model's charts as SVG files that stand alone: importances, residuals, predicted against actual, error by segment and
 * the learning curve; one for which there are no figures is left out.
 */
export function trainingPlots(model: ModelFacts): readonly PlotFile[] {
  const { importances, residuals, agreement, segments, curve } = modelCharts(model);
  const files: readonly (readonly [string, readonly Chart[]])[] = [
    ['importances', importances],
    ['residuals', [residuals]],
    ['predicted_vs_actual', [agreement]],
    ['error_by_segment', segments],
    ['learning_curve', curve === undefined ? [] : [curve]],
  ];
  return files
    .filter(([, charts]) => charts.length > 0)
    .map(([name, charts]) => ({ path: `plots/${name}.svg`, body: new TextEncoder().encode(standalone(charts)) }));
}
