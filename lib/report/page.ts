import { answersSection } from './answers-section.ts';
import { COLOURS } from './colours.ts';
import { fatesSection } from './fates-section.ts';
import { amount, count, moment, percent, rows, score, seconds, words } from './figures.ts';
import { Html, html } from './html.ts';
import type { ReportInput } from './input.ts';
import { modelSection } from './model-section.ts';
import { STYLE } from './style.ts';

/**
 * A run's report as one HTML page that needs nothing else: no script, no other file. Text from data is shown as text,
 * whatever it holds; where a chart or a table leaves something out, it says so. The same input gives the same page.
 */
export function renderReport(input: ReportInput): string {
  const { dataset, run } = input;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${words(dataset)}: run ${run.id}</title><style>${new Html(`${themes()}${STYLE}`)}</style></head>
<body><main><header><h1>${words(dataset)}</h1>
<p>Run <code>${run.id}</code>, reported ${moment(run.madeAt)}${run.seconds === undefined ? '' : `, ${seconds(run.seconds)} after it began`}. Lake <code>${run.lake}</code>, Lakelet ${run.codeVersion}.</p></header>
${headline(input)}${answersSection(input.answers)}${fatesSection(input.fates)}${modelSection(input.model)}${tablesSection(input)}</main></body></html>
`.text;
}

function headline({ answers, fates, model }: ReportInput): Html {
  const counts = fates.run ?? fates.all;
  const chart = answers.flatMap(({ charts }) => charts)[0];
  const { mae, r2 } = model.scores;
  const tiles: readonly (readonly [string, string, string])[] = [
    ...(counts === undefined
      ? []
      : [
          ['Records', count(counts.in), fates.run === undefined ? 'in bronze' : 'delivered'] as const,
          ['Good', percent(counts.in === 0 ? 0 : counts.good / counts.in), rows(counts.good)] as const,
        ]),
    ...(chart === undefined
      ? []
      : [[words(chart.measure), amount(chart.total), chart.unit ?? `in all of ${chart.groups} groups`] as const]),
    ...(mae === undefined
      ? []
      : [[`Error of ${model.target}`, amount(mae), `on average; R² ${r2 === undefined ? '–' : score(r2)}`] as const]),
  ];
  return html`<ul class="tiles">${tiles.map(([name, value, note]) => html`<li><span>${name}</span><b>${value}</b><span>${note}</span></li>\n`)}</ul>\n`;
}

function tablesSection({ tables }: ReportInput): Html {
  return html`<section><h2>The data behind this report</h2><div class="scroll"><table><thead><tr><th scope="col">table</th><th scope="col" class="number">version</th><th scope="col" class="number">rows</th><th scope="col" class="number">files</th></tr></thead>
<tbody>${tables.map((table) => html`<tr><th scope="row">${table.table}</th><td class="number">${count(table.version)}</td><td class="number">${table.rows === null ? '–' : count(table.rows)}</td><td class="number">${count(table.files)}</td></tr>\n`)}</tbody></table></div></section>`;
}

function themes(): string {
  const of = (theme: 'light' | 'dark'): string =>
    Object.entries(COLOURS)
      .map(([name, pair]) => `--${name}:${pair[theme]}`)
      .join(';');
  return `:root{${of('light')}}@media screen and (prefers-color-scheme:dark){:root{${of('dark')}}}`;
}
