import { type Chart, figure } from './chart.ts';
import { amount, count, listed, percent, probability, rows, score, seconds } from './figures.ts';
import { type Html, html } from './html.ts';
import type { ModelFacts, Scores } from './input.ts';
import { modelCharts, undrawnColumns } from './model-charts.ts';

/** The model: what it predicts, how good it is and beside what, and where it errs. */
export function modelSection(model: ModelFacts): Html {
  const { agreement, residuals, importances, segments, curve } = modelCharts(model);
  const undrawn = undrawnColumns(model);
  const charts: readonly Chart[] = [agreement, residuals, ...importances, ...(curve === undefined ? [] : [curve])];
  return html`<section><h2>The model</h2>
<p>${model.name} predicts ${model.target} from ${listed(model.features.slice(0, 30))}${model.features.length > 30 ? ` and ${model.features.length - 30} more columns` : ''}. It is ${model.algorithm === 'forest' ? 'a random forest' : 'boosted trees'} (${count(model.trees)} trees), learnt from ${rows(model.rows)} in ${seconds(model.seconds)} and scored on ${rows(model.actual.length)} that it had not seen: ${model.split}.</p>
<p>${errorInWords(model)}</p>
<p><strong>${verdict(model)}</strong></p>
${scoresTable(model)}
${intervalsParagraph(model)}
<div class="grid">${charts.map((chart) => figure(chart))}</div>
${curve === undefined ? html`<p>The training told no error by the number of trees.</p>` : undefined}
${segments.length > 0 ? html`<h2>Where the model errs</h2><div class="grid">${segments.map((chart) => figure(chart))}</div>` : undefined}
${undrawn > 0 ? html`<p>The errors by ${count(undrawn)} more columns are not drawn.</p>` : undefined}</section>\n`;
}

function errorInWords({ scores, comparisons, target }: ModelFacts): string {
  const { mae } = scores;
  if (mae === undefined) return '';
  const mean = comparisons.find(({ name }) => name === 'mean')?.scores.mae;
  const beside =
    mean === undefined || mean === 0
      ? ''
      : ` Whoever always said the mean would be off by ${amount(mean)}: the model's error is ${percent(Math.abs(1 - mae / mean))} ${mae <= mean ? 'smaller' : 'larger'}.`;
  return `On average a prediction of ${target} is off by ${amount(mae)}.${beside}`;
}

/** What the paired test says, in words. */
function verdict({ champion, withoutChampion }: ModelFacts): string {
  if (champion === undefined) return withoutChampion ?? 'There is no champion to compare with yet.';
  const { name, better, pValue, difference } = champion;
  const chance = `p ${probability(pValue)}, one-sided paired test of the squared errors on the same held-out rows`;
  if (better) return `The new model is better than the champion, ${name} (${chance}).`;
  return difference > 0
    ? `The new model did a little better than the champion, ${name}, but that may be chance (${chance}): the champion stays.`
    : `The new model is no better than the champion, ${name} (${chance}): the champion stays.`;
}

function scoresTable({ scores, champion, comparisons }: ModelFacts): Html {
  const lines: readonly (readonly [string, Scores])[] = [
    ['this run', scores],
    ...(champion === undefined ? [] : [[`champion, ${champion.name}`, champion.scores] as const]),
    ...comparisons.map(({ name, scores: theirs }) => [name === 'mean' ? 'always the mean' : name, theirs] as const),
  ];
  const figureOf = (value: number | undefined, format: (n: number) => string): string =>
    value === undefined ? '–' : format(value);
  return html`<div class="scroll"><table><thead><tr><th scope="col">on the held-out rows</th><th scope="col" class="number">R² (1 is perfect)</th><th scope="col" class="number">mean absolute error</th><th scope="col" class="number">RMSE</th></tr></thead>
<tbody>${lines.map(
    ([name, { r2, mae, rmse }]) =>
      html`<tr><th scope="row">${name}</th><td class="number">${figureOf(r2, score)}</td><td class="number">${figureOf(mae, amount)}</td><td class="number">${amount(rmse)}</td></tr>\n`,
  )}</tbody></table></div>`;
}

function intervalsParagraph({ intervals }: ModelFacts): Html {
  if (intervals === undefined) return html`<p>The model gives no intervals.</p>`;
  const { level, coverage, meanWidth } = intervals;
  return html`<p>Each prediction has an interval that should hold ${percent(level)} of what comes true; on held-out rows that had no part in making them, the intervals held ${percent(coverage)}, and were ${amount(meanWidth)} wide on average.</p>`;
}
